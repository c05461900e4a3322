-- The files of the user's that a run or a sweep is made of: that one was edited does not go unnoticed.
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"
local sources = require "trpo.sources"

local scratch

local car = [[
local trpo = require "trpo"
return trpo.env {
  id = "Car-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 6,
  reset = function(self, rng, obs) self.x = rng:uniform(-1, 1) obs[1] = self.x end,
  step = function(self, action, obs)
    self.x = self.x + require "wheels".turn(action)
    obs[1] = self.x
    return -math.abs(self.x), false
  end,
  save = function(self) return self.x end, restore = function(self, x) self.x = x end,
}
]]
local wheels = "return { turn = function(action) return action == 1 and -0.1 or 0.1 end }\n"
local drive = [[
local trpo = require "trpo"
require "wheels"
local run = trpo.experiment {
  env = "cars.car", policy = { hidden = { 4 } }, value = false, steps = 32, lanes = 2, horizon = 16, name = "drive",
  evaluation = { episodes = 2 },
}
return run:main(...)
]]

local function write(name, text) command.write(scratch .. "/" .. name, text) end

before_each(function()
  scratch = command.scratch()
  assert(project.run("mkdir " .. project.quoted(scratch .. "/cars")))
  write("cars/car.lua", car)
  write("wheels.lua", wheels)
  write("drive.lua", drive)
end)
after_each(function() command.remove(scratch) end)

-- runs shell text, which must do well; what it said on the standard error output
local function said(text)
  local _, err, code = command.shell(scratch, text)
  assert.are.equal(0, code, err)
  return err
end

local function read(name) return json.decode(command.read(scratch .. "/" .. name)) end

-- by another program
local function sha256(name) return project.lines("sha256sum " .. project.quoted(scratch .. "/" .. name))[1]:match "^%x+" end

describe("a run", function()
  for how, text in pairs { ["trpo train"] = '"$trpo" train drive.lua -q', ["luajit"] = "luajit drive.lua -q" } do
    it("says that its script or a module was edited before it goes on, under " .. how, function()
      local function resume(steps) return said(("%s --resume --steps %d"):format(text, steps)) end
      said(text)
      assert.are.same({ script = sha256 "drive.lua",
        modules = { wheels = sha256 "wheels.lua", ["cars.car"] = sha256 "cars/car.lua" } },
        read "runs/drive/config.json".sources)
      assert.are.equal("", resume(64))
      assert.is_true(read "runs/drive/status.json".exact_resume)

      write("wheels.lua", wheels:gsub("0%.1", "0.2"))
      write("drive.lua", drive .. "-- edited\n")
      local place = project.lines("cd " .. project.quoted(scratch) .. " && pwd -P")[1]
      assert.are.equal(("trpo: the same numbers are not promised any more: %s/drive.lua has changed; wheels.lua has changed\n")
        :format(place), resume(96))
      assert.is_false(read "runs/drive/status.json".exact_resume)
      assert.are.equal(sha256 "wheels.lua", read "runs/drive/config.json".sources.modules.wheels)

      -- said once, true for ever
      assert.are.equal("", resume(128))
      assert.is_false(read "runs/drive/status.json".exact_resume)
    end)
  end

  it("of a program without a script is watched by its modules, also by those that are loaded late", function()
    local text = [[luajit -e 'local trpo = require "trpo"
      assert(trpo.experiment { env = "cars.car", policy = { hidden = { 4 } }, value = false, steps = %d, lanes = 2,
        horizon = 16, name = "drive", resume = true, evaluation = { episodes = 2 } }:train())']]
    said(text:format(32))
    assert.is_nil(read "runs/drive/config.json".sources.script)
    write("wheels.lua", wheels .. "-- edited\n")
    assert.are.equal("trpo: the same numbers are not promised any more: wheels.lua has changed\n", said(text:format(64)))
  end)
end)

describe("a sweep", function()
  local function sweep() return command.run(scratch, "sweep sweep.lua --jobs 1 -q") end

  it("of an experiment is refused when a module has changed", function()
    write("sweep.lua", [[
return require "trpo".sweep { experiment = "drive.lua", parameters = { delta = { 0.01 } } }:main(...)
]])
    assert.are.equal(0, select(3, sweep()))
    local description = read "sweeps/sweep/sweep.json"
    assert.are.same({ ["drive.lua"] = sha256 "drive.lua" }, description.files)
    assert.are.same({ wheels = sha256 "wheels.lua", ["cars.car"] = sha256 "cars/car.lua" }, description.modules)
    assert.are.equal(0, select(3, sweep()))
    write("wheels.lua", wheels .. "-- edited\n")
    local _, err, code = sweep()
    assert.are.equal(1, code)
    assert.is_truthy(err:find("another one: the module wheels has changed", 1, true), err)
  end)

  it("of a function is refused when a module has changed, and stops when that happens meanwhile", function()
    write("sweep.lua", [[
local wheels = require "wheels"
return require "trpo".sweep {
  parameters = { x = { 1, 2, 3 } },
  run = function(params)
    if os.getenv "EDIT" then
      local file = io.open("wheels.lua", "a")
      file:write "-- edited\n"
      file:close()
    end
    return { metric = wheels.turn(params.x) }
  end,
}:main(...)
]])
    local _, err, code = command.shell(scratch, 'EDIT=1 "$trpo" sweep sweep.lua --jobs 1 -q')
    assert.are.equal(1, code)
    assert.are.equal("trpo: the sweep stopped: wheels.lua has changed since the sweep began\n", err)
    _, err, code = sweep()
    assert.are.equal(1, code)
    assert.is_truthy(err:find("the module wheels has changed", 1, true), err)
  end)
end)

describe("the modules of the user's", function()
  it("are not what is installed, built in, or trpo's", function()
    local by_name, by_path = sources.modules()
    for _, name in ipairs { "trpo", "trpo.json", "luv", "string", "_G", "busted" } do assert.is_nil(by_name[name], name) end
    assert.is_string(by_name["support.command"])
    local n = 0
    for _ in pairs(by_path) do n = n + 1 end
    for _ in pairs(by_name) do n = n - 1 end
    assert.are.equal(0, n)
  end)

  it("that came from elsewhere than a file are nobody's", function()
    package.preload["support.run_folder_made_up"] = function() return {} end
    require "support.run_folder_made_up"
    assert.is_nil(sources.modules()["support.run_folder_made_up"])
    package.preload["support.run_folder_made_up"], package.loaded["support.run_folder_made_up"] = nil, nil
  end)
end)
