-- What every script shares: where it is, when it is, and what has been read.
-- KEYS[1] is the type's `epoch` key; all other keys of the type are built from its beginning, so they share its slot.
local S = {
  base = string.sub(KEYS[1], 1, -6),
  events_kept = ARGV[2],
  ended_kept_ms = tonumber(ARGV[3]),
  confirm_ms = tonumber(ARGV[4]),
  dead = 0,
  passed = 0,
}

local SCHEMA = 1

-- An integer as text: `..` and `tostring` lose the end of sixteen digits. Exact for 53 bits; a fraction is cut off.
-- A script writes the same few times again and again: each is made once.
local texts = {}

local function int(number)
  local text = texts[number]
  if not text then
    text = string.format('%d', number)
    texts[number] = text
  end
  return text
end

-- Lets a script that must work when memory is full (it ends, renews or reads) write from here on: once a script has
-- called a write that needs no memory, Redis refuses it no other.
local function licence()
  if not S.licensed then
    redis.call('ZREM', S.base .. 'offers', '')
    S.licensed = true
  end
end

-- Who this Redis server is: the process, and the history of data that it goes on with. The second value is whether it
-- remembers no other history before: then it is not one that was a replica meanwhile.
local function identity()
  local replication = redis.call('INFO', 'replication')
  local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
    .. string.match(replication, 'master_replid:(%x+)')
  return server, string.match(replication, 'master_replid2:0+%s') ~= nil
end

-- Reads the clock and the type's own record. Returns the reply of a script that must not go on, or nil.
-- In a cluster (`check` is '2' or '3') it first looks at two keys that never exist: while the slot is being moved, either
-- node refuses that, so that no script stops half way or takes a key that is at the other node for one that is nowhere.
local function read()
  if ARGV[1] > '1' then
    redis.call('EXISTS', S.base .. 'never', S.base .. 'neither')
  end
  local time = redis.call('TIME')
  S.us = time[1] * 1000000 + time[2]
  S.wall = math.floor(S.us / 1000)
  local epoch = redis.call('HMGET', KEYS[1], 'schema', 'server', 'checked', 'offset', 'tick', 'epoch', 'seq', 'floor',
    'hold', 'lagged', 'pause', 'lost', 'trust', 'due', 'line', 'checks', 'loss')
  if epoch[1] and tonumber(epoch[1]) > SCHEMA then
    return { 'newer_schema', tonumber(epoch[1]) }
  end
  S.server = epoch[2]
  S.checked = tonumber(epoch[3] or 0)
  S.offset = tonumber(epoch[4] or 0)
  S.tick = tonumber(epoch[5] or S.wall)
  S.epoch = tonumber(epoch[6] or 0)
  S.seq = tonumber(epoch[7] or 0)
  S.floor = tonumber(epoch[8] or 0)
  S.hold = tonumber(epoch[9] or 0)
  S.lagged = tonumber(epoch[10] or 0)
  -- Of a recovery, when there is one: its end, when the loss was found (by the clock), and from when on the end of a
  -- proven lease is believed.
  S.pause = tonumber(epoch[11])
  S.lost = tonumber(epoch[12])
  S.trust = tonumber(epoch[13])
  -- Nothing is overdue, and nobody is to be served, before it.
  S.due = tonumber(epoch[14] or 0)
  -- Where the line stands: `join` says how.
  S.line = epoch[15]
  -- Until when, by the clock, who finds nothing waits for a probe: `check_again` says why.
  S.checks = tonumber(epoch[16] or 0)
  -- The epoch that began with the latest loss, also when the recovery is over: `unclean` says why.
  S.loss = tonumber(epoch[17]) or S.pause and S.epoch
  return nil
end
