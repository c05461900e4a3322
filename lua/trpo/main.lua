-- What bin/trpo runs. Ctrl-C ends it at once from the beginning, without a word of the interpreter's.
require("trpo.core").signals.release()
os.exit(require("trpo.cli").main { ... }, true)
