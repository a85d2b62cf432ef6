-- What every script shares: where it is, when it is, and what has been read.
-- KEYS[1] is the type's `epoch` key; all other keys of the type are built from its beginning, so they share its slot.
local S = {
  base = string.sub(KEYS[1], 1, -6),
  events_kept = ARGV[2],
  ended_kept_ms = tonumber(ARGV[3]),
  confirm_ms = tonumber(ARGV[4]),
  dead = 0,
}

local SCHEMA = 1

-- An integer as text: `..` and `tostring` lose the end of sixteen digits.
local function int(number)
  return string.format('%.0f', number)
end

-- Lets a script that must work when memory is full (it ends, renews or reads) write from here on: once a script has
-- called a write that needs no memory, Redis refuses it no other.
local function licence()
  if not S.licensed then
    redis.call('ZREM', S.base .. 'offers', '')
    S.licensed = true
  end
end

-- Opens the script: reads the clock, checks the server's identity, and gives pool time.
-- Pool time is Redis's clock less an offset. A clock more than 2 s past the last tick (nobody ran for so long), or
-- before it (the clock was set back), first moves the offset by the difference, so that no lease loses by it.
-- `growing`: the script makes something new, and is refused when memory is full, before it has changed anything.
-- Returns nil, or the reply of a script that must not go on.
local function open(growing)
  local time = redis.call('TIME')
  S.us = time[1] * 1000000 + time[2]
  S.wall = math.floor(S.us / 1000)
  local epoch = redis.call('HMGET', KEYS[1], 'schema', 'server', 'checked', 'offset', 'tick', 'epoch', 'seq', 'floor',
    'hold')
  if epoch[1] and tonumber(epoch[1]) > SCHEMA then
    return { 'newer_schema', tonumber(epoch[1]) }
  end
  local offset = tonumber(epoch[4] or 0)
  local tick = tonumber(epoch[5] or S.wall)
  local changes = {}
  local function change(field, value)
    changes[#changes + 1] = field
    changes[#changes + 1] = value
  end
  if S.wall - tick > 2000 or S.wall < tick then
    offset = offset + S.wall - tick
    change('offset', int(offset))
    change('tick', int(S.wall))
  elseif growing or S.wall - tick >= 100 or not epoch[5] then
    change('tick', int(S.wall))
  end
  S.now = S.wall - offset
  S.epoch = tonumber(epoch[6] or 0)
  S.seq = tonumber(epoch[7] or 0)
  S.floor = tonumber(epoch[8] or 0)
  S.hold = tonumber(epoch[9] or 0)
  local checked = tonumber(epoch[3] or 0)
  local adopted
  if ARGV[1] == '1' or S.us - checked > 5000 or S.us < checked then
    local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
      .. string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
    change('checked', int(S.us))
    if epoch[2] ~= server then
      adopted = epoch[2] and 'adopted' or 'new'
      -- The stream refuses an id that is not above its last one, and with it the script half way.
      local last = redis.call('XREVRANGE', S.base .. 'events', '+', '-', 'COUNT', 1)[1]
      local streamed = last and tonumber(string.match(last[1], '^%d+')) or 0
      S.epoch = math.max(S.epoch + 1, S.wall, streamed + 1)
      S.seq = 0
      change('schema', SCHEMA)
      change('server', server)
      change('epoch', int(S.epoch))
      change('seq', '0')
      change('offset', int(offset))
    end
  end
  if #changes > 0 then
    if not growing then
      licence()
    end
    redis.call('HSET', KEYS[1], unpack(changes))
    S.licensed = true
  end
  S.adopted = adopted
  return nil
end
