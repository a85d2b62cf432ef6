-- How long whoever wants a container waits for the probe of one that had none lately.
local CHECK_MS = 3000

-- Whether the last good probe of a container is older than its type allows (`fresh`, in ms; none: any age is right), so that
-- its verdict may be true no more. By Redis's clock, for pool time stands still in an outage. One from the future is as
-- good as none: the clock was set back.
local function stale(f)
  local bound = f.probed == '1' and f.probe == 'ok' and f.seen and tonumber(f.fresh)
  if not bound then
    return false
  end
  local age = S.wall - f.seen
  return age > bound or age < 0
end

-- Forgets the verdict of a container that is stale, and makes its probe due before all others. One good probe gives it back.
-- What is written first needs memory, so that a script which makes something new is refused before it has changed anything.
local function check_again(f)
  redis.call('ZADD', S.base .. 'probes', 0, f.id)
  redis.call('HDEL', S.base .. 'container:' .. f.id, 'probe', 'seen')
  redis.call('HSET', KEYS[1], 'checks', int(S.wall + CHECK_MS))
  f.probe, f.seen = nil, nil
  S.checks = S.wall + CHECK_MS
end

-- Whether a container that could be given is being probed first.
local function checking()
  return S.checks > S.wall and S.checks <= S.wall + CHECK_MS
end
