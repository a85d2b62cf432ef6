-- The records of an answer, each packed into one text: its values with `BETWEEN` between them, `NONE` for one that is not
-- there. As many values of a reply would cost Redis and its reader several times as much. No value holds either
-- character: JSON escapes them, and no other free text that is stored has any.
local BETWEEN, NONE = '\31', '\30'

-- A container: id, provider, state, check, probed, probe, why, pool state, by whom it was cordoned, lease, allocated at,
-- token, about, held; until when it is drained by the clock, and whether its session ends then ('1'); its reset,
-- and why the last attempt failed; its quarantine: until when by the clock, why (`by:` and who says so, of one that was put there by
-- hand), and how many times it was there in a row.
local function describe_container(f)
  local rests, rest_why, times = NONE, NONE, NONE
  if f.quarantine then
    local key = S.base .. 'container:' .. f.id
    local deadline = redis.call('ZSCORE', S.base .. 'quarantine', f.id)
    rests = int((tonumber(deadline) or S.now) - S.now + S.wall)
    -- A version before this one rested only what could not be made clean.
    rest_why = f.quarantine == '1' and 'reset' or f.quarantine
    local own = redis.call('HMGET', key, 'place', 'strikes')
    times = f.reset == 'failed' and own[2] or own[1] and redis.call('HGET', S.base .. 'strikes:' .. own[1], 'rests') or '1'
  end
  local pool_state, set = derive(f)
  local ends, forced = NONE, NONE
  if f.drain then
    ends, forced = string.match(f.drain, '^(%d+):(%d)$')
    ends = int(ends - S.now + S.wall)
  end
  return table.concat({ f.id, f.provider, f.state, f.check, f.probed, f.probe or NONE, f.why or NONE, pool_state,
    f.cordon or NONE, f.lease or NONE, f.at or NONE, f.token or NONE,
    redis.call('GET', S.base .. 'about:' .. f.id) or NONE,
    set == 'available' and pool_state ~= set and '1' or NONE, ends, forced,
    f.reset or NONE, f.reset and redis.call('HGET', S.base .. 'container:' .. f.id, 'reset_why') or NONE, rests,
    rest_why, times }, BETWEEN)
end

-- A session: id, state, owner, ttl, expires in ms, created, ended, reason, token, wall clock, position, estimate in ms,
-- metadata, idempotency key to keep alive; then what its lease can be proven by: id and incarnation of the container,
-- longest end by the clock, epoch, and whether a proof is wanted; what is left in ms when its holder is to be warned of its
-- longest end, and of its end for want of activity; the head start in ms that it has in the line; how many ms ago it was reported
-- to be used, and renewed, and what is left of its idle limit; and last its container (none when `brief`).
-- When it was renewed follows from how long the renewal lasts, unless the longest end cuts that short.
local function describe(s, brief)
  local expires, position, estimate, container, metadata = NONE, NONE, NONE, NONE, NONE
  local cap_left, idle_left, head_start = NONE, NONE, NONE
  local used, heard, idle_ends = NONE, NONE, NONE
  if s.state == 'ready' then
    local expiry = s.expiry or tonumber(redis.call('ZSCORE', S.base .. 'leases', s.id) or 0)
    expires = int(math.max(0, expiry - S.now))
    local renewed = math.max(expiry, tonumber(s.renewed) or 0)
    -- A version before this one kept no `renewed`.
    if s.beat and renewed ~= tonumber(s.cap) and renewed ~= s.idle_end then
      heard = int(math.max(0, S.now + tonumber(s.ttl) - renewed))
    end
    local active = s.idle_end and s.idle_end - s.idle or tonumber(s.active)
    used = active and int(math.max(0, S.now - active)) or NONE
    idle_ends = s.idle_end and int(math.max(0, s.idle_end - S.now)) or NONE
    if s.lead then
      local cap, idle = warned_from(s)
      cap_left = cap and cap <= S.now and int(math.max(0, s.cap - S.now)) or NONE
      idle_left = idle and idle <= S.now and int(math.max(0, s.idle_end - S.now)) or NONE
    end
  elseif s.state == 'queued' then
    head_start = s.head_start or '0'
    local rank = redis.call('ZRANK', S.base .. 'queue', s.id)
    if rank then
      position = int(rank + 1)
      if S.hold > 0 then
        estimate = int((rank + 1) * S.hold / math.max(1, redis.call('ZCARD', S.base .. 'containers')))
      end
    end
  end
  if not brief then
    metadata = s.meta and redis.call('GET', S.base .. 'metadata:' .. s.id) or NONE
    local f = s.state == 'ready' and (s.f or facts(s.container))
    container = f and describe_container(f) or NONE
  end
  return table.concat({ s.id, s.state, s.owner, s.ttl, expires, s.created, s.ended or NONE, s.reason or NONE,
    s.token or NONE, int(S.wall), position, estimate, metadata, s.keep_idem or NONE, s.container or NONE,
    s.inc or NONE, s.cap and int(s.cap - S.now + S.wall) or NONE, int(S.epoch),
    S.recovering and s.proven ~= int(S.epoch) and '1' or NONE, cap_left, idle_left, head_start,
    used, heard, idle_ends, container }, BETWEEN)
end
