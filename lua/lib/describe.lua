-- The rows of an answer. A value that is not there is false, which the client reads as nil.
-- A container: id, provider, state, check, probed, probe, why, pool state, cordoned, lease, allocated at, token, about,
-- held.
local function describe_container(f)
  local pool_state, set = derive(f)
  return { f.id, f.provider, f.state, f.check, f.probed, f.probe or false, f.why or false, pool_state,
    f.cordon or false, f.lease or false, f.at or false, f.token or false,
    redis.call('GET', S.base .. 'about:' .. f.id), set == 'available' and pool_state ~= set }
end

-- A session: id, state, owner, ttl, expires in ms, created, ended, reason, token, wall clock, position, estimate in ms,
-- metadata, idempotency key to keep alive, container (false when `brief`); then what its lease can be proven by: id and
-- incarnation of the container, longest end by the clock, epoch, and whether a proof is wanted.
local function describe(s, brief)
  local expires, position, estimate, container, metadata = false, false, false, false, false
  if s.state == 'ready' then
    local expiry = s.expiry or tonumber(redis.call('ZSCORE', S.base .. 'leases', s.id) or 0)
    expires = math.max(0, expiry - S.now)
  elseif s.state == 'queued' then
    local rank = redis.call('ZRANK', S.base .. 'queue', s.id)
    position = rank and rank + 1
    if position and S.hold > 0 then
      estimate = math.floor(position * S.hold / math.max(1, redis.call('ZCARD', S.base .. 'containers')))
    end
  end
  if not brief then
    metadata = s.meta and redis.call('GET', S.base .. 'metadata:' .. s.id) or false
    local f = s.state == 'ready' and (s.f or facts(s.container))
    container = f and describe_container(f) or false
  end
  return { s.id, s.state, s.owner, s.ttl, expires, s.created, s.ended or false,
    s.reason or false, s.token or false, int(S.wall), position, estimate, metadata, s.keep_idem or false, container,
    s.container or false, s.inc or false, s.cap and int(s.cap - S.now + S.wall) or false, int(S.epoch),
    S.recovering and s.proven ~= int(S.epoch) }
end
