-- Adds a replica to those that are woken when a queued session gets its offer: the last four that asked, for a request
-- may move from one replica to another, and replicas come and go.
local function listen(s, replica)
  if replica == '' then
    return
  end
  local channels = { replica }
  for channel in string.gmatch(s.replica or '', '[^,]+') do
    if channel == replica then
      return
    end
    if #channels < 4 then
      channels[#channels + 1] = channel
    end
  end
  licence()
  s.replica = table.concat(channels, ',')
  redis.call('HSET', S.base .. 'session:' .. s.id, 'replica', s.replica)
end
