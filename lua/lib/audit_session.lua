-- The sets that a session is in by its state, beside `sessions` and its owner's while it lives.
local PLACES = {
  ready = { leases = 'expired' },
  offered = { offers = 'unconfirmed' },
  queued = { queue = 'ticket_expired', tickets = 'ticket_expired' },
  ended = { ended = '' },
}
local SESSION_SETS = { 'leases', 'offers', 'queue', 'tickets', 'ended', 'sessions' }

-- Whether a session's record has what every one of its state has.
local function complete(s)
  if not (s and s.owner and s.created and s.ttl and PLACES[s.state]) then
    return false
  end
  local holds = s.state == 'ready' or s.state == 'offered'
  return not holds or (s.container and s.token and s.granted) and true
end

-- Removes what cannot be read, as if it had never been.
local function erase(id)
  local left = redis.call('HMGET', S.base .. 'session:' .. id, 'owner', 'container')
  for _, set in ipairs(SESSION_SETS) do
    redis.call('ZREM', S.base .. set, id)
  end
  if left[1] then
    redis.call('ZREM', S.base .. 'owner:' .. left[1], id)
  end
  redis.call('DEL', S.base .. 'session:' .. id, S.base .. 'metadata:' .. id)
  local f = left[2] and facts(left[2])
  if f and f.lease == id then
    give_back(f, {})
  end
end

-- Puts a session back into a set that it is missing from. A deadline or a place in line that was lost is known to nobody:
-- then the session ends.
local function restore(s, set)
  local reason = PLACES[s.state][set]
  if s.state == 'ended' then
    redis.call('ZADD', S.base .. set, s.ended or int(S.wall), s.id)
  elseif reason then
    finish(s, reason)
  else
    redis.call('ZADD', S.base .. set, s.created, s.id)
  end
end

-- Whether a session is in a set, against whether it belongs there, and for how long it is overdue.
local function audit_session_set(s, set)
  local deadline = PLACES[s.state][set]
  local belongs = deadline or s.state ~= 'ended' and (set == 'sessions' or set == 'owner:' .. s.owner)
  local score = redis.call('ZSCORE', S.base .. set, s.id)
  if score and not belongs then
    audit_member('misplaced', set, s.id)
  elseif belongs and not score then
    -- Of an ended one the set may forget a moment before the record goes.
    local going = s.state == 'ended' and tonumber(s.ended or S.wall) + S.ended_kept_ms < S.wall + 1000
    if not going then
      found('missing', s.id, set, function()
        restore(s, set)
      end)
    end
  elseif deadline and set ~= 'queue' and overdue(s) and tonumber(score) <= S.now - AUDIT.grace_ms then
    found('overdue', s.id, set, function()
      finish(s, overdue(s))
    end)
  end
end

-- Audits one session that has a record.
local function audit_session(id)
  local key = S.base .. 'session:' .. id
  local s = session_of(id)
  if not complete(s) then
    found('incomplete_record', id, 'session', function()
      erase(id)
    end)
    return
  end
  local state = s.state
  if state == 'ready' or state == 'offered' then
    local f = facts(s.container)
    local held = f and f.lease == id or not f and redis.call('HGET', S.base .. 'claims', s.container) == id
    if not held and found('session_without_container', id, s.container, function()
      finish(s, f and f.lease and 'superseded' or 'container_lost')
    end) then
      return
    end
  end
  for _, set in ipairs({ 'leases', 'offers', 'queue', 'tickets', 'ended', 'sessions', 'owner:' .. s.owner }) do
    audit_session_set(s, set)
    if s.state ~= state then
      return
    end
  end
  local lasts = redis.call('PTTL', key)
  if state == 'ended' and lasts < 0 then
    found('wrong_expiry', id, 'session', function()
      redis.call('PEXPIRE', key, int(S.ended_kept_ms))
    end)
  elseif state ~= 'ended' and lasts >= 0 then
    found('wrong_expiry', id, 'session', function()
      redis.call('PERSIST', key)
    end)
  end
end
