-- Notes that something is due then, so that no script passes it over.
local function due_at(time)
  if time < S.due then
    S.due = time
    redis.call('HSET', KEYS[1], 'due', int(time))
  end
end
