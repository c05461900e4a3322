-- A hopping leg in a plane: 11 observations, 3 actions, contact that sticks or slips.
--
-- A torso with a reaction wheel in it stands on a springy, telescoping leg with a heavy foot:
--
--       x, z ( o )   torso, mass 6 kg, turned by `pitch`; the hip is at its centre
--              \
--               \    leg: spring and damper along it, a motor at the hip
--                \
--                 *  foot, a point of 0.5 kg; the ground is a stiff spring and rubs with Coulomb friction
--
-- Angles grow counterclockwise; the leg's is 0 when it hangs down. Actions in [-1, 1]: torque at the hip, change of the
-- spring's rest length, torque of the wheel. The reward of a step is 1 for being upright, plus the speed to the right
-- [m/s], less a bit for effort; an episode ends when the torso falls or tips over, or the leg goes out too far.
-- Semi-implicit Euler steps of 1 ms, 20 to an action. TRPO makes it run on one leg, at 4 m/s, in 300,000 steps.
local trpo = require "trpo"

local TORSO, INERTIA, FOOT, WHEEL = 6, 0.2, 0.5, 0.02 -- kg, kg m^2, kg, kg m^2
local GRAVITY = 9.81                                  -- m / s^2
local LENGTH, SPRING, DAMPER = 0.7, 1500, 10          -- m, N / m, N s / m
local HIP, STROKE, DRIVE = 15, 0.1, 5                 -- N m, m, N m: what an action of 1 does
local WHEEL_SPEED = 150                               -- rad / s, where the wheel's motor has no torque left
local GROUND, GROUND_DAMPER = 2e4, 100                -- N / m, N s / m
local FRICTION, RUB = 0.8, 200                        -- coefficient; N s / m while the foot sticks
local DT, SUBSTEPS = 1e-3, 20                         -- s
local LOW, TIP, SPLIT = 0.35, 0.6, 1                  -- m, rad, rad: the end of an episode

local function clip(x, limit) return x < -limit and -limit or x > limit and limit or x end

-- force of the ground on the foot: none above it; it never pulls; friction sticks until it slips
local function contact(z, vx, vz)
  if z >= 0 then return 0, 0 end
  local normal = math.max(0, -GROUND * z - GROUND_DAMPER * vz)
  return clip(-RUB * vx, FRICTION * normal), normal
end

-- leg from hip to foot: length, angle, and their rates
local function leg(self)
  local dx, dz = self.foot_x - self.x, self.foot_z - self.z
  local length = math.sqrt(dx * dx + dz * dz)
  local ex, ez = dx / length, dz / length
  local vx, vz = self.foot_vx - self.vx, self.foot_vz - self.vz
  return length, math.atan2(ex, -ez), vx * ex + vz * ez, (vz * ex - vx * ez) / length, ex, ez
end

local function observe(self, obs)
  local length, angle, stretch, swing = leg(self)
  obs[1], obs[2], obs[3], obs[4] = self.z - LENGTH, self.pitch, angle - self.pitch, (length - LENGTH) * 5
  obs[5], obs[6], obs[7] = self.vx, self.vz, self.spin / 5
  obs[8], obs[9] = (swing - self.spin) / 5, stretch
  obs[10], obs[11] = self.wheel / WHEEL_SPEED, clip(self.normal / (TORSO * GRAVITY), 5)
end

-- one millisecond under torques `hip` and `drive` and a spring that rests at `rest`
local function substep(self, hip, rest, drive)
  local length, _, stretch, _, ex, ez = leg(self)
  local push = SPRING * (rest - length) - DAMPER * stretch
  local turn = hip / length
  -- on the foot along the leg (ex, ez) and across it (-ez, ex); the opposite on the torso
  local fx, fz = push * ex - turn * ez, push * ez + turn * ex
  local rub, normal = contact(self.foot_z, self.foot_vx, self.foot_vz)
  -- the wheel's motor weakens as it spins up
  if drive * self.wheel > 0 then drive = drive * math.max(0, 1 - math.abs(self.wheel) / WHEEL_SPEED) end
  self.vx, self.vz = self.vx - fx / TORSO * DT, self.vz - (fz / TORSO + GRAVITY) * DT
  self.foot_vx = self.foot_vx + (fx + rub) / FOOT * DT
  self.foot_vz = self.foot_vz + ((fz + normal) / FOOT - GRAVITY) * DT
  self.spin, self.wheel = self.spin - (hip + drive) / INERTIA * DT, self.wheel + drive / WHEEL * DT
  self.x, self.z = self.x + self.vx * DT, self.z + self.vz * DT
  self.foot_x, self.foot_z = self.foot_x + self.foot_vx * DT, self.foot_z + self.foot_vz * DT
  self.pitch, self.normal = self.pitch + self.spin * DT, normal
end

return trpo.env {
  id = "Leg-v0",
  observation = trpo.space.box { shape = { 11 } },
  action = trpo.space.box { shape = { 3 }, low = -1, high = 1 },
  time_limit = 500,

  reset = function(self, rng, obs)
    local angle = rng:uniform(-0.1, 0.1)
    self.x, self.z, self.pitch = 0, LENGTH + rng:uniform(0, 0.1), rng:uniform(-0.1, 0.1)
    self.vx, self.vz, self.spin = rng:uniform(-0.1, 0.1), 0, rng:uniform(-0.2, 0.2)
    self.foot_x, self.foot_z = LENGTH * math.sin(angle), self.z - LENGTH * math.cos(angle)
    self.foot_vx, self.foot_vz, self.wheel, self.normal = self.vx, 0, 0, 0
    observe(self, obs)
  end,

  step = function(self, action, obs)
    local x, hip, rest, drive = self.x, HIP * action[1], LENGTH + STROKE * action[2], DRIVE * action[3]
    for _ = 1, SUBSTEPS do substep(self, hip, rest, drive) end
    observe(self, obs)
    local _, angle = leg(self)
    local effort = action[1] * action[1] + action[2] * action[2] + action[3] * action[3]
    local speed = (self.x - x) / (DT * SUBSTEPS)
    return 1 + speed - 0.05 * effort, self.z < LOW or math.abs(self.pitch) > TIP or math.abs(angle) > SPLIT
  end,

  save = function(self)
    local state = {}
    for key, x in pairs(self) do state[key] = x end
    return state
  end,
  restore = function(self, state)
    for key, x in pairs(state) do self[key] = x end
  end,
}
