-- The heart: puts a container where its facts say it belongs, writes the event, and offers it to the line when it
-- became available. Every script that changes a fact settles what it touched, so nothing else decides who is available.
-- `quiet`: the event that a session ended already says that the container is available again.
local function settle(f, quiet)
  local _, to = derive(f)
  local from = f.set
  if to == from then
    return
  end
  move(f, to)
  redis.call('HSET', S.base .. 'container:' .. f.id, 'set', to)
  if not (quiet and to == 'available') then
    event('container.state', 'container', f.id, 'from', from or '', 'to', to)
  end
  if to == 'available' then
    offer(f)
  end
end
