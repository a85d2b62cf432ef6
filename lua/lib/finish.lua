-- Ends a session for a reason and gives its container back: made clean first where its type has a reset, else settled
-- at once.
local function finish(s, reason)
  close(s, reason)
  local f = s.container and facts(s.container)
  if f and f.lease == s.id then
    f.lease = nil
    f.at = nil
    redis.call('HDEL', S.base .. 'container:' .. f.id, 'lease', 'at')
    if f.on_end == 'reset' then
      f.reset = 'due'
      f.era = int(tonumber(f.era or 0) + 1)
      redis.call('HSET', S.base .. 'container:' .. f.id, 'reset', 'due', 'era', f.era)
    end
    settle(f, true)
  end
end
