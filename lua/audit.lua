-- Audits one page of a type's data: sets against records, containers against sessions. Each check is decided here, on
-- one item and its counterparts, so nothing that is in motion is taken for a fault.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] area      'due': when the type is looked at next; a set or 'claims': its members; 'records': all records;
--                   'counts': the sizes of sets, against one another
-- ARGV[6] cursor    where the page before ended; ''
-- ARGV[7] most      items on a page, about; at most 100
-- ARGV[8] repairs   '1': what is found is repaired
-- ARGV[9] grace_ms  how long something may be overdue
--
-- Outcomes
--   ok        rows of kind, id, place and whether it was repaired, how many items were looked at, the owners whose sets
--             were met, then what to give as `cursor` ('' at the end)
--   no_area   there is no such area
--
-- Events: audit.repaired, and those of what the repair brings about.
local area = ARGV[5]
local cursor = ARGV[6]
local most = tonumber(ARGV[7])
local repairs = ARGV[8]
local grace_ms = tonumber(ARGV[9])

local base = S.base
local refused = open(false)
if refused then
  return refused
end
AUDIT.repairs = repairs == '1'
AUDIT.grace_ms = grace_ms

-- Of what records the members of each set are.
local SETS = {
  containers = 'container', available = 'container', cordoned = 'container', unhealthy = 'container',
  initializing = 'container', resetting = 'container', quarantine = 'container', cleared = 'container',
  probes = 'container', resets = 'container', draining = 'container', leaving = 'container', leases = 'session', offers = 'session', queue = 'session', tickets = 'session',
  sessions = 'session', ended = 'session', warnings = 'session',
}
local looked = 0
local owners = {}

local function there(record, id)
  return redis.call('EXISTS', base .. record .. ':' .. id) == 1
end

-- Nothing may be due before the time until which scripts look at nothing. Wherever it is wrong, the other areas would
-- not see what is overdue, so it is right for the rest of this script in any case.
local first = next_due()
if S.due > first then
  local function mend()
    redis.call('HSET', KEYS[1], 'due', int(first))
  end
  if area == 'due' then
    found('due_late', '', 'epoch', mend)
  elseif AUDIT.repairs then
    licence()
    mend()
  end
  S.due = first
end

local function audit_set(set)
  local owner = string.match(set, '^owner:(.+)$')
  local record = owner and 'session' or SETS[set]
  local page = redis.call('ZSCAN', base .. set, cursor, 'COUNT', most)
  for at = 1, #page[2], 2 do
    local id, score = page[2][at], tonumber(page[2][at + 1])
    looked = looked + 1
    if set == 'cleared' and not S.pause then
      audit_member('misplaced', set, id)
    elseif not there(record, id) and not (set == 'resets' and there('definition', id)) then
      -- What ended is forgotten by its record first, and by the set at its leisure.
      if set ~= 'ended' or score + S.ended_kept_ms > S.wall + 1000 then
        audit_member('member_without_record', set, id)
      end
    elseif owner and redis.call('HGET', base .. 'session:' .. id, 'owner') ~= owner then
      audit_member('misplaced', set, id)
    end
  end
  return page[1]
end

local function audit_claims()
  local page = redis.call('HSCAN', base .. 'claims', cursor, 'COUNT', most)
  for at = 1, #page[2], 2 do
    local id, session = page[2][at], page[2][at + 1]
    looked = looked + 1
    local s = session_of(session)
    if there('container', id) or not (s and s.state == 'ready' and s.container == id) then
      found('orphan_claim', id, session, function()
        redis.call('HDEL', base .. 'claims', id)
      end)
    end
  end
  return page[1]
end

local function audit_orphan(place, id, orphaned)
  if orphaned then
    found('orphan_record', id, place, function()
      redis.call('DEL', base .. place .. ':' .. id)
    end)
  end
end

local RECORDS = {
  container = audit_container,
  session = audit_session,
  about = function(id)
    audit_orphan('about', id, not there('container', id))
  end,
  metadata = function(id)
    -- One that expires goes by itself, a moment after its session's record.
    audit_orphan('metadata', id, not there('session', id) and redis.call('PTTL', base .. 'metadata:' .. id) == -1)
  end,
  definition = function(id)
    local f = facts(id)
    if f then
      audit_orphan('definition', id, not f.reset and not f.lease)
    elseif not redis.call('ZSCORE', base .. 'resets', id) then
      found('missing', id, 'resets', function()
        redis.call('ZADD', base .. 'resets', int(S.now), id)
      end)
    end
  end,
  owner = function(name)
    owners[#owners + 1] = name
  end,
}

-- The keyspace is walked, for what no set knows of is found nowhere else. It is that of the whole server: of other types a
-- page passes over a thousand keys at most.
local function audit_records()
  local pattern = string.gsub(base, '[%[%]%*%?\\]', '\\%0') .. '*'
  for _ = 1, 10 do
    local page = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', most)
    cursor = page[1]
    for _, key in ipairs(page[2]) do
      local kind, id = string.match(string.sub(key, #base + 1), '^(%l+):(.+)$')
      if RECORDS[kind] then
        looked = looked + 1
        RECORDS[kind](id)
      end
    end
    if cursor == '0' or looked >= most then
      break
    end
  end
  return cursor
end

local function size(set)
  return redis.call('ZCARD', base .. set)
end

local function audit_counts()
  local held = size('leases') + size('offers') - redis.call('HLEN', base .. 'claims')
  for _, set in ipairs(STATES) do
    held = held + size(set)
  end
  local sizes = {
    { 'containers', size('containers'), held },
    { 'sessions', size('sessions'), size('leases') + size('offers') + size('queue') },
    { 'tickets', size('tickets'), size('queue') },
  }
  for _, one in ipairs(sizes) do
    if one[2] ~= one[3] then
      found('counts', one[2] .. ' are not ' .. one[3], one[1])
    end
  end
end

local next_cursor = '0'
if cursor == '' then
  cursor = '0'
end
if area == 'counts' then
  audit_counts()
elseif area == 'claims' then
  next_cursor = audit_claims()
elseif area == 'records' then
  next_cursor = audit_records()
elseif SETS[area] or string.match(area, '^owner:.') then
  next_cursor = audit_set(area)
elseif area ~= 'due' then
  return { 'no_area' }
end
return { 'ok', AUDIT.rows, looked, owners, next_cursor == '0' and '' or next_cursor }
