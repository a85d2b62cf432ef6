-- Whether a live session is past its deadline: the reason that it ends for, or nil. The one place that decides it,
-- because such a session has ended for everybody, whether or not it was among those that `reclaim` had the time to take
-- back.
local DEADLINES = { ready = 'leases', offered = 'offers', queued = 'tickets' }

local function overdue(s)
  local set = DEADLINES[s.state]
  if s.state == 'offered' and doubtful(s) then
    return 'lost_in_recovery'
  end
  if not set or S.now < S.due then
    return nil
  end
  local deadline = tonumber(redis.call('ZSCORE', S.base .. set, s.id) or 0)
  if deadline > S.now then
    return nil
  end
  if s.state == 'queued' then
    return 'ticket_expired'
  end
  if s.cap and deadline >= tonumber(s.cap) then
    return 'max_duration'
  end
  if s.idle_end and deadline >= s.idle_end then
    return 'idle'
  end
  if s.state == 'offered' or (s.confirm and not s.beat) then
    return 'unconfirmed'
  end
  return 'expired'
end
