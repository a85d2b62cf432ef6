-- Adds and changes containers as a provider saw them; at most 100. A container's identity is its id and its
-- incarnation: another incarnation under a lease ends the session as `container_lost`. An empty one (it does not run)
-- is the one that it was.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] provider
-- ARGV[6] generation
-- ARGV[7] sequence
-- ARGV[8...] by twelve: id, incarnation, state, check, probed, on_end, about, how old its last good probe may be when it is
--            given out in ms ('' any age), its place (a hash of its provider's name for it), by which rules it goes into
--            quarantine (`rest_rules`; ''), '1' when its reset cuts off whoever uses it, and the epoch that began with the
--            latest loss, if it was surely started after that was found ('')
--
-- Outcomes
--   ok     how many were added or changed
--   stale
--
-- Events: container.added, container.cordoned, container.changed, container.quarantined, container.quarantine_full,
-- container.reset, session.ended, container.state, session.offered.
local provider = ARGV[5]
local generation = tonumber(ARGV[6])
local sequence = tonumber(ARGV[7])

local base = S.base
local refused = open(false)
if refused then
  return refused
end
if not mark(provider, generation, sequence) then
  return { 'stale' }
end
reclaim()

-- Why this is a strike, or nil: it ended by itself, or its check began to fail. What we made of it does not count.
local function ailing(f, inc, state, check)
  if f.reset then
    return nil
  end
  if f.state == 'running' and (state == 'exited' or state == 'dead' or state == 'restarting') then
    return 'exited'
  end
  if f.inc ~= inc and (f.lease or f.state == 'running') then
    -- Its end was not seen, only that it began anew.
    return 'restarted'
  end
  return f.check == 'healthy' and check == 'unhealthy' and 'check' or nil
end

-- What was started after the latest loss is free at once: whatever was given out before was another incarnation. That made it clean
-- as well where a restart does, or it takes the place of another; else it is made clean first. Returns whether that is news.
local function clear(f, after_loss, cuts)
  if not S.loss or after_loss ~= int(S.loss) or f.clear and (free_from(f) or 9e15) <= S.now then
    return false
  end
  f.clear = int(S.loss) .. '-' .. int(S.now)
  local changes = { 'clear', f.clear }
  if f.on_end == 'reset' and cuts ~= '1' and not f.replaces and not f.lease and not f.reset then
    want_reset(f, changes)
  end
  redis.call('HSET', base .. 'container:' .. f.id, unpack(changes))
  return true
end

-- Settles a container that was found to be free: where it stays among those that are available, whoever waits may have it now.
local function settle_free(f)
  local from = f.set
  settle(f)
  if not (from == 'available' and f.set == from and S.recovering) then
    return
  end
  redis.call('ZADD', base .. 'cleared', int(S.now), f.id)
  if stale(f) then
    check_again(f)
    settle(f)
  else
    offer(f)
  end
end

local function observe(id, inc, state, check, probed, on_end, about, fresh, place, rules, cuts, after_loss)
  local f = facts(id)
  if f and f.provider ~= provider then
    return 0
  end
  local key = base .. 'container:' .. id
  if not f then
    redis.call('HSET', key, 'provider', provider, 'era', '1', 'inc', inc, 'state', state, 'check', check,
      'probed', probed, 'on_end', on_end, 'fresh', fresh, 'place', place, 'rules', rules,
      'cuts', cuts)
    redis.call('SET', base .. 'about:' .. id, about)
    redis.call('ZADD', base .. 'containers', 0, id)
    if probed == '1' then
      redis.call('ZADD', base .. 'probes', int(S.now), id)
    end
    event('container.added', 'container', id, 'provider', provider)
    meet_claim(id, inc)
    rest_on(id, place)
    -- It was cordoned before Redis lost it.
    local by = redis.call('HGET', base .. 'cordons', id)
    if by then
      redis.call('HSET', key, 'cordon', by)
      event('container.cordoned', 'container', id, 'by', by)
    end
    f = facts(id)
    clear(f, after_loss, cuts)
    settle(f)
    return 1
  end
  if inc == '' then
    inc = f.inc
  end
  local other_life = f.inc ~= inc
  local other = f.state ~= state or f.check ~= check or f.probed ~= probed or f.on_end ~= on_end
    or (f.fresh or '') ~= fresh or f.place ~= place or f.rules ~= rules or f.cuts ~= cuts
  local described = redis.call('GET', base .. 'about:' .. id) ~= about
  if not (other_life or other or described) then
    if clear(f, after_loss, cuts) then
      settle_free(f)
    end
    return 0
  end
  if described then
    redis.call('SET', base .. 'about:' .. id, about)
  end
  local reprobe = f.probed ~= probed
  local failed = ailing(f, inc, state, check)
  f.inc, f.state, f.check, f.probed, f.on_end, f.fresh = inc, state, check, probed, on_end, fresh
  f.place, f.rules, f.cuts = place, rules, cuts
  redis.call('HSET', key, 'inc', inc, 'state', state, 'check', check, 'probed', probed, 'on_end', on_end,
    'fresh', fresh, 'place', place, 'rules', rules, 'cuts', cuts)
  if failed then
    strike(f, failed)
  end
  if other_life then
    f.era = int(tonumber(f.era) + 1)
    f.probe, f.good, f.bad, f.why = nil, nil, nil, nil
    redis.call('HSET', key, 'era', f.era)
    redis.call('HDEL', key, 'probe', 'good', 'bad', 'why')
  end
  if other_life and f.reset == 'acted' then
    f.reset, f.restart = nil, nil
    absolve(f, redis.call('HGET', key, 'made_for'))
    redis.call('HDEL', key, 'reset', 'attempt', 'tries', 'reset_inc', 'reset_why', 'made_for', 'strikes', 'restart')
    redis.call('ZREM', base .. 'resets', id)
    event('container.reset', 'container', id)
  end
  if other_life or reprobe then
    if probed == '1' then
      redis.call('ZADD', base .. 'probes', int(S.now), id)
    else
      f.probe, f.why = nil, nil
      redis.call('HDEL', key, 'probe', 'good', 'bad', 'why')
      redis.call('ZREM', base .. 'probes', id)
    end
  end
  event('container.changed', 'container', id, 'provider', provider, 'state', state, 'check', check)
  local freed = clear(f, after_loss, cuts)
  local s = other_life and f.lease and session_of(f.lease)
  if s then
    finish(s, overdue(s) or 'container_lost')
  elseif freed then
    settle_free(f)
  else
    settle(f)
  end
  return 1
end

local changed = 0
for at = 8, #ARGV, 12 do
  changed = changed + observe(unpack(ARGV, at, at + 11))
end
return { 'ok', changed }
