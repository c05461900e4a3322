-- LDoc filter (`ldoc --filter markdown.write`): prints one Markdown page from what LDoc has read.
local markdown = {}

local function trimmed(text) return (text or ""):gsub("^%s+", ""):gsub("%s+$", "") end

-- a text without the blank that follows `--` on every line
local function dedented(text)
  for line in text:gmatch "\n([^\n]+)" do
    if line:sub(1, 1) ~= " " then return trimmed(text) end
  end
  return trimmed((text:gsub("\n ", "\n")))
end

-- a text whose further lines are indented, to stay in its list item
local function hanging(text) return (trimmed(text):gsub("\n%s*", "\n  ")) end

-- "name (type, optional): text"
local function entry(name, modifiers, text)
  local notes = {}
  local kind = (modifiers.type or ""):gsub(",$", ""):gsub("|", "* or *")
  if kind ~= "" then notes[1] = "*" .. kind .. "*" end
  if modifiers.opt then
    notes[#notes + 1] = type(modifiers.opt) == "string" and "default `" .. modifiers.opt .. "`" or "optional"
  end
  local head = table.concat(notes, ", ")
  if name then head = "`" .. name .. "`" .. (head ~= "" and " (" .. head .. ")" or "") end
  text = hanging(text)
  return "- " .. head .. (text ~= "" and (head ~= "" and ": " or "") .. text or "")
end

local function parameters(item, out)
  for _, name in ipairs(item.params or {}) do
    out(entry(name, (item.modifiers.param or {})[name] or {}, item.params.map[name]))
  end
end

-- LDoc keeps several returned values as one group each, or one group of all of them
local function returns(item, out)
  for _, group in ipairs(item.retgroups or {}) do
    for _, value in ipairs(group) do
      out("- returns " .. entry(nil, { type = value.type }, value.text):sub(3))
    end
  end
end

-- how a user writes a name: functions of a module in full, methods after the noun of their class
local function full_name(item, module)
  local class, method = item.name:match "^(.*):(.*)$"
  if not class then return item.name:find "%." and item.name or module.name .. "." .. item.name end
  local noun = (class == "methods" and module.name or class):match "[^.]+$"
  return (noun:find "%l" and noun:lower() or noun) .. ":" .. method
end

local function item_text(item, module, out)
  out(("### `%s%s`\n"):format(full_name(item, module), item.args or ""))
  out(dedented(item.summary .. (item.description or "")) .. "\n")
  if item.type ~= "function" then
    return parameters(item, out)
  end
  parameters(item, out)
  returns(item, out)
  if item.raise then out("- raises " .. hanging(item.raise)) end
  out ""
end

-- the first sentence of a text
local function sentence(text)
  text = text:gsub("\n\n.*", ""):gsub("%s+", " ") .. " "
  return text:match "^(.-[^l]%.) [%u`]" or trimmed(text) -- but for "et al."
end

-- gives each heading its link target; equal ones are numbered
local function anchors()
  local seen = {}
  return function(name)
    local anchor = name:lower():gsub("[^%w_ -]", "")
    local before = seen[anchor] or 0
    seen[anchor] = before + 1
    return anchor .. (before > 0 and "-" .. before or "")
  end
end

-- names that LDoc would link to, as code
local function plain(text) return (text:gsub("@{([^{}\n]+)}", "`%1`")) end

--- Prints the page.
-- @tparam table modules LDoc's list of modules
function markdown.write(modules)
  local lines = {}
  local function out(line) lines[#lines + 1] = line end
  out "# Reference\n"
  out "Made by `make docs` from the comments in the sources: change it there.\n"
  local anchor = anchors()
  for _, module in ipairs(modules) do
    local text = dedented(module.summary .. (module.description or ""))
    out(("- [%s](#%s): %s"):format(module.name, anchor(module.name), sentence(text)))
  end
  out ""
  for _, module in ipairs(modules) do
    out(("## %s\n"):format(module.name))
    out(dedented(module.summary .. (module.description or "")) .. "\n")
    for _, item in ipairs(module.items) do
      item_text(item, module, out)
    end
  end
  io.write(plain((trimmed(table.concat(lines, "\n")):gsub("\n\n\n+", "\n\n"))), "\n")
end

return markdown
