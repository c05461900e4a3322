--- Completion scripts for bash, zsh and fish, made from the table of commands.
-- @module trpo.completion
local completion = {}

local function map(list, fn)
  local out = {}
  for i, entry in ipairs(list) do out[i] = fn(entry) end
  return out
end

local function words(list) return table.concat(list, " ") end

-- '--set' of '-s --set'
local function long_flag(option) return option.flags:match("%-%-[%w-]+") end

local function short_flag(option) return option.flags:match("^%-(%w)") end

-- what may follow an option: a list of words, or the name of a kind
local function values_of(option) return option.choices or option.words or option.complete end

local function names(commands) return map(commands, function(c) return c.name end) end

-- single quotes around a text, for any of the shells
local function quote(text, escaped) return "'" .. text:gsub("'", escaped or "'\\''") .. "'" end

-- ---- bash --------------------------------------------------------------------------------------

local bash = {}

-- what may stand where, as a line that sets COMPREPLY
function bash.values(kind, facts)
  if type(kind) == "table" then
    return ('COMPREPLY=($(compgen -W "%s" -- "$cur"))'):format(words(kind))
  elseif kind == "parameters" then
    return ('COMPREPLY=($(compgen -S = -W "%s" -- "$cur")); compopt -o nospace 2>/dev/null')
      :format(words(facts.parameters))
  elseif kind == "directories" then
    return '_trpo_files -d'
  elseif kind == "scripts" then
    return ('COMPREPLY=($(compgen -W "%s" -- "$cur")); _trpo_files -f -X "!*.lua"; _trpo_files -d')
      :format(words(facts.environments))
  elseif kind == "processes" then
    return ('COMPREPLY=($(compgen -W "%s" -- "$cur")); _trpo_files -f -X "!*.npz"; _trpo_files -f -X "!*.lua"; '
      .. '_trpo_files -d'):format(words(facts.processes))
  elseif kind == "files" then
    return '_trpo_files -f'
  elseif kind == "commands" then
    return ('COMPREPLY=($(compgen -W "%s" -- "$cur"))'):format(words(facts.commands))
  end
  return ":"
end

function bash.command(command, facts)
  local lines = { ("    %s)"):format(command.name), "      case $prev in" }
  local flags = { "--help" }
  for _, option in ipairs(command.options) do
    flags[#flags + 1] = long_flag(option) or option.flags
    if option.value then
      local flags_of = option.flags:gsub(" ", "|")
      lines[#lines + 1] = ("        %s) %s; return ;;")
        :format(flags_of, bash.values(values_of(option), facts))
    end
  end
  lines[#lines + 1] = "      esac"
  local argument = command.arguments[1]
  local plain = ":"
  if argument then
    plain = argument.choices
      and ('COMPREPLY=($(compgen -W "%s" -- "$cur"))'):format(words(argument.choices))
      or bash.values(argument.complete, facts)
  end
  lines[#lines + 1] = ('      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "%s" -- "$cur"))')
    :format(words(flags))
  lines[#lines + 1] = ("      else %s; fi ;;"):format(plain)
  return table.concat(lines, "\n")
end

function bash.script(commands, facts)
  return ([[
# files that compgen names, one per line: spaces belong to a name
_trpo_files() {
  local name
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$@" -- "$cur")
}
_trpo() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  case $command in
    "") COMPREPLY=($(compgen -W "%s --help --version" -- "$cur")) ;;
%s
  esac
}
complete -F _trpo trpo
]]):format(words(names(commands)), table.concat(map(commands, function(c)
    return bash.command(c, facts)
  end), "\n"))
end

-- ---- zsh ---------------------------------------------------------------------------------------

local zsh = {}

function zsh.values(kind, facts)
  if type(kind) == "table" then return ("(%s)"):format(words(kind)) end
  if kind == "files" then return "_files" end
  if kind == "processes" then
    return ([[{_alternative "data:file:_files -g \\*.npz" "code:script:_files -g \\*.lua" "names:process:(%s)"}]])
      :format(words(facts.processes))
  end
  if kind == "parameters" then
    return ('compadd -S "" -- %s'):format(words(map(facts.parameters, function(p) return p .. "=" end)))
  end
  if kind == "directories" then return "_files -/" end
  if kind == "commands" then return ("(%s)"):format(words(facts.commands)) end
  if kind == "scripts" then
    return ([[{_alternative "files:script:_files -g \\*.lua" "ids:environment:(%s)"}]])
      :format(words(facts.environments))
  end
  return " "
end

-- help texts stand in brackets there
local function zsh_text(text) return (text:gsub("[%[%]:]", "\\%0")) end

function zsh.option(option, facts)
  local flags = {}
  for flag in option.flags:gmatch("%S+") do flags[#flags + 1] = flag end
  local tail = "[" .. zsh_text(option.help) .. "]"
  if option.value then
    local name = option.value:lower():gsub("=", " ")
    tail = tail .. (option.optional_value and "::%s:%s" or ":%s:%s"):format(name, zsh.values(values_of(option), facts))
  end
  return table.concat(map(flags, function(flag)
    return quote((option.repeats and "*" or "") .. flag .. tail)
  end), " ")
end

function zsh.command(command, facts)
  local parts = { quote("--help[show help]") }
  for _, option in ipairs(command.options) do parts[#parts + 1] = zsh.option(option, facts) end
  for _, argument in ipairs(command.arguments) do
    local values = argument.choices and "(" .. words(argument.choices) .. ")"
      or zsh.values(argument.complete, facts)
    parts[#parts + 1] = quote(("1:%s:%s"):format(argument.name, values))
  end
  return ("    %s)\n      _arguments %s ;;")
    :format(command.name, table.concat(parts, " \\\n        "))
end

function zsh.script(commands, facts)
  return ([[
#compdef trpo
_trpo() {
  local -a commands
  commands=(
%s
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
%s
  esac
}
if [ "$funcstack[1]" = _trpo ]; then _trpo "$@"; else compdef _trpo trpo; fi
]]):format(table.concat(map(commands, function(c)
    return "    " .. quote(c.name .. ":" .. zsh_text(c.summary))
  end), "\n"), table.concat(map(commands, function(c) return zsh.command(c, facts) end), "\n"))
end

-- ---- fish --------------------------------------------------------------------------------------

local fish = {}

local function fish_quote(text) return quote(text, "\\'") end

function fish.values(kind, facts)
  if type(kind) == "table" then return " -a " .. fish_quote(words(kind)) end
  if kind == "files" then return " -F" end
  if kind == "processes" then
    return " -a " .. fish_quote(words(facts.processes)
      .. " (__fish_complete_suffix .npz) (__fish_complete_suffix .lua)")
  end
  if kind == "parameters" then
    return " -a " .. fish_quote(words(map(facts.parameters, function(p) return p .. "=" end)))
  end
  if kind == "directories" then return " -a '(__fish_complete_directories)'" end
  if kind == "scripts" then
    return " -a " .. fish_quote(words(facts.environments) .. " (__fish_complete_suffix .lua)")
  end
  if kind == "commands" then return " -a " .. fish_quote(words(facts.commands)) end
  return ""
end

function fish.command(command, facts)
  local when = ("complete -c trpo -n '__fish_seen_subcommand_from %s'"):format(command.name)
  local lines = {}
  for _, option in ipairs(command.options) do
    local short, long = short_flag(option), long_flag(option)
    lines[#lines + 1] = ("%s%s%s%s -d %s"):format(when, short and " -s " .. short or "",
      long and " -l " .. long:sub(3) or "", option.value and " -x" .. fish.values(values_of(option), facts) or "",
      fish_quote(option.help))
  end
  for _, argument in ipairs(command.arguments) do
    lines[#lines + 1] = when .. (argument.choices and " -a " .. fish_quote(words(argument.choices))
      or fish.values(argument.complete, facts))
  end
  return table.concat(lines, "\n")
end

function fish.script(commands, facts)
  local lines = { "complete -c trpo -f" }
  for _, command in ipairs(commands) do
    lines[#lines + 1] = ("complete -c trpo -n __fish_use_subcommand -a %s -d %s")
      :format(command.name, fish_quote(command.summary))
  end
  for _, command in ipairs(commands) do
    local text = fish.command(command, facts)
    if #text > 0 then lines[#lines + 1] = text end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The completion script of a shell.
-- @tparam string shell "bash", "zsh" or "fish"
-- @tparam table commands see `trpo.commands`
-- @tparam table facts `environments` (ids), `parameters`, `processes` (names)
-- @treturn string the script
function completion.script(shell, commands, facts)
  local known = { environments = facts.environments, parameters = facts.parameters,
    processes = facts.processes, commands = names(commands) }
  return ({ bash = bash, zsh = zsh, fish = fish })[shell].script(commands, known)
end

return completion
