-- Pendulum-v1 as a user would write it in Lua, observations filled in place.
local trpo = require "trpo"

return trpo.env {
  id = "Pendulum-Lua",
  observation = trpo.space.box { shape = { 3 }, low = { -1, -1, -8 }, high = { 1, 1, 8 } },
  action = trpo.space.box { shape = { 1 }, low = -2, high = 2 },
  time_limit = 200,
  reset = function(self, rng, obs)
    self.theta, self.speed = rng:uniform(-math.pi, math.pi), rng:uniform(-1, 1)
    obs[1], obs[2], obs[3] = math.cos(self.theta), math.sin(self.theta), self.speed
  end,
  step = function(self, action, obs)
    local u, theta, speed = action[1], self.theta, self.speed
    local angle = (theta + math.pi) % (2 * math.pi) - math.pi
    local reward = -(angle ^ 2 + 0.1 * speed ^ 2 + 0.001 * u ^ 2)
    speed = math.max(-8, math.min(8, speed + (15 * math.sin(theta) + 3 * u) * 0.05))
    theta = theta + speed * 0.05
    self.theta, self.speed = theta, speed
    obs[1], obs[2], obs[3] = math.cos(theta), math.sin(theta), speed
    return reward, false
  end,
}
