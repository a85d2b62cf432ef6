-- Takes back what is overdue: leases, offers, tickets, quarantine; at most 16 in all. So no promise needs a background
-- process: whatever script runs first after a deadline keeps it. Returns how many.
local function reclaim()
  local left = 16
  local taken = 0
  local function overdue(set)
    local ids = redis.call('ZRANGEBYSCORE', S.base .. set, '-inf', int(S.now), 'LIMIT', 0, left)
    left = left - #ids
    taken = taken + #ids
    return ids
  end
  for _, id in ipairs(overdue('leases')) do
    licence()
    local s = session_of(id)
    if not s then
      redis.call('ZREM', S.base .. 'leases', id)
    elseif s.cap and S.now >= tonumber(s.cap) then
      finish(s, 'max_duration')
    elseif s.confirm and not s.beat then
      finish(s, 'unconfirmed')
    else
      finish(s, 'expired')
    end
  end
  for _, id in ipairs(left > 0 and overdue('offers') or {}) do
    licence()
    local s = session_of(id)
    if s then
      finish(s, 'unconfirmed')
    else
      redis.call('ZREM', S.base .. 'offers', id)
    end
  end
  for _, id in ipairs(left > 0 and overdue('tickets') or {}) do
    licence()
    local s = session_of(id)
    -- An offer made earlier in this script took the ticket out of the line.
    if s and s.state == 'queued' then
      close(s, 'ticket_expired')
    else
      redis.call('ZREM', S.base .. 'tickets', id)
    end
  end
  for _, id in ipairs(left > 0 and overdue('quarantine') or {}) do
    licence()
    redis.call('ZREM', S.base .. 'quarantine', id)
    local f = facts(id)
    if f then
      f.quarantine = nil
      redis.call('HDEL', S.base .. 'container:' .. id, 'quarantine')
      settle(f)
    end
  end
  return taken
end
