local STATES = { 'available', 'cordoned', 'unhealthy', 'initializing', 'resetting' }

-- The lease in a container's record, against the session that it names.
local function audit_lease(f)
  local s = session_of(f.lease)
  if s and not complete(s) then
    -- Found, and repaired, with the session's record.
    return false
  end
  if not (s and (s.state == 'ready' or s.state == 'offered') and s.container == f.id) then
    return found('lease_without_session', f.id, f.lease, function()
      give_back(f, {})
    end)
  end
  return s.token ~= f.token and found('token_mismatch', f.id, f.lease, function()
    -- Tokens go on above both; which of them was used cannot be known, so the lease ends.
    redis.call('HSET', S.base .. 'container:' .. f.id, 'token',
      int(math.max(tonumber(s.token or 0), tonumber(f.token or 0))))
    finish(s, 'superseded')
  end)
end

-- Where a container stands, against where its record says that it stands, and where its facts say that it belongs.
local function audit_place(f)
  local lost = false
  for _, set in ipairs(STATES) do
    local there = redis.call('ZSCORE', S.base .. set, f.id)
    if there and set ~= f.set then
      audit_member('misplaced', set, f.id)
    elseif set == f.set and not there then
      lost = true
    end
  end
  local _, to = derive(f)
  if lost then
    found('missing', f.id, f.set, function()
      f.set = nil
      settle(f)
    end)
  elseif f.set ~= to then
    found('wrong_set', f.id, f.set or '', function()
      settle(f)
    end)
  end
end

-- A set that a container is in when a fact says so, and else is not. `score`: with which it would be added.
local function audit_belongs(f, set, belongs, score)
  local there = redis.call('ZSCORE', S.base .. set, f.id)
  if there and not belongs then
    audit_member('misplaced', set, f.id)
  elseif belongs and not there then
    found('missing', f.id, set, function()
      redis.call('ZADD', S.base .. set, int(score), f.id)
      if set == 'quarantine' or set == 'draining' then
        due_at(score)
      end
    end)
  end
end

-- Audits one container that has a record.
local function audit_container(id)
  local f = facts(id)
  if not (f and f.inc and f.state and f.check and f.probed and f.era) then
    local left = redis.call('HMGET', S.base .. 'container:' .. id, 'provider', 'lease', 'token')
    found('incomplete_record', id, 'container', function()
      forget({ id = id, provider = left[1] or '', lease = left[2] ~= '' and left[2] or nil, token = left[3] or nil })
    end)
    return
  end
  if f.lease and audit_lease(f) then
    f = facts(id)
  end
  if f.replaces and redis.call('EXISTS', S.base .. 'definition:' .. f.replaces) == 0 then
    found('orphan_record', id, 'replaces', function()
      redis.call('HDEL', S.base .. 'container:' .. id, 'replaces')
    end)
    f.replaces = nil
  end
  audit_place(f)
  audit_belongs(f, 'containers', true, 0)
  audit_belongs(f, 'probes', f.probed == '1', S.now)
  audit_belongs(f, 'quarantine', f.quarantine ~= nil, S.now)
  if not f.lease then
    -- One that is leased all the same, for its lease was proven after a loss, leaves the set when a worker meets it.
    audit_belongs(f, 'resets', f.reset ~= nil and f.reset ~= 'failed', S.now)
  end
  audit_belongs(f, 'draining', f.drain ~= nil, S.now)
  audit_belongs(f, 'leaving', f.leaving ~= nil, S.now)
  if S.recovering then
    local from = f.set == 'available' and free_from(f)
    audit_belongs(f, 'cleared', from, math.max(S.now, from or 0))
  end
  if redis.call('EXISTS', S.base .. 'about:' .. id) == 0 then
    found('missing', id, 'about', function()
      -- The next look at its provider writes it anew.
      redis.call('SET', S.base .. 'about:' .. id, '{}')
    end)
  end
end
