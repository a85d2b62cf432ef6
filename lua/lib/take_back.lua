-- Takes back what is overdue: leases, offers, tickets, quarantine, drains; and warns of ends that come near; at most 16 in
-- all. Then serves the line with what is available all the same. So no promise needs a background process: whatever
-- script runs first after a deadline keeps it. Returns how many were overdue; leaves `S.more` when there may be others.
local function take_back()
  recovered()
  local left = 16
  local function due(set)
    if left == 0 then
      return {}
    end
    local ids = redis.call('ZRANGEBYSCORE', S.base .. set, '-inf', int(S.now), 'LIMIT', 0, left)
    left = left - #ids
    return ids
  end
  for _, set in ipairs({ 'leases', 'offers', 'tickets' }) do
    for _, id in ipairs(due(set)) do
      licence()
      if not session_now(id) then
        redis.call('ZREM', S.base .. set, id)
      end
    end
  end
  for _, id in ipairs(due('warnings')) do
    licence()
    warn(id)
  end
  for _, id in ipairs(due('quarantine')) do
    licence()
    redis.call('ZREM', S.base .. 'quarantine', id)
    local f = facts(id)
    if f then
      local changes
      f.quarantine = nil
      redis.call('HDEL', S.base .. 'container:' .. id, 'quarantine')
      event('container.quarantine_over', 'container', id)
      if f.reset == 'failed' then
        changes = {}
        want_reset(f, changes)
      end
      settle(f, false, changes)
    end
  end
  for _, id in ipairs(due('draining')) do
    licence()
    end_drain(id)
  end
  serve()
  S.more = S.more or left == 0
  local first = S.more and S.now or next_due()
  if first ~= S.due then
    licence()
    S.due = first
    redis.call('HSET', KEYS[1], 'due', int(first))
  end
  return 16 - left
end
