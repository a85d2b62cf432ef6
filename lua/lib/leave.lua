-- Takes a ticket out of the line: its owner's next one stands where it would have without it.
local function leave(id, owner)
  redis.call('ZREM', S.base .. 'queue', id)
  redis.call('ZREM', S.base .. 'tickets', id)
  redis.call('ZREM', S.base .. 'line:' .. owner, id)
end
