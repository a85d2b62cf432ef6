-- Ends a session for a reason and gives its container back: made clean first where its type has a reset, else settled
-- at once. In a recovery, the end of a lease that lived at the loss shows that nobody else holds the container.
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
    if S.recovering and s.proven == int(S.epoch) then
      f.clear = s.proven
      redis.call('HSET', S.base .. 'container:' .. f.id, 'clear', f.clear)
    end
    settle(f, true)
  elseif s.container and not f then
    redis.call('HDEL', S.base .. 'claims', s.container)
  end
end
