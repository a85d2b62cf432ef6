-- The heart: puts a container where its facts say it belongs, writes the event, and offers it to the line when it
-- became available, or first has it made clean, where it may not be since a loss, or probed, when its last good probe is too old.
-- Every script that changes a fact settles what it touched, so nothing else decides who is available.
-- `quiet`: the event that a session ended already says that the container is available again.
-- `changes`: facts to be written with it, as field and value in turn.
local function settle(f, quiet, changes)
  local _, to = derive(f)
  local from = f.set
  if to == 'available' and from ~= to then
    if unclean(f) then
      changes = changes or {}
      want_reset(f, changes)
      _, to = derive(f)
    elseif stale(f) then
      check_again(f)
      _, to = derive(f)
    end
  end
  local key = S.base .. 'container:' .. f.id
  if to == from then
    if changes then
      redis.call('HSET', key, unpack(changes))
    end
    return
  end
  move(f, to)
  if changes then
    redis.call('HSET', key, 'set', to, unpack(changes))
  else
    redis.call('HSET', key, 'set', to)
  end
  if not (quiet and to == 'available') then
    event('container.state', 'container', f.id, 'from', from or '', 'to', to)
  end
  if to == 'available' then
    offer(f)
  elseif f.drain and to ~= 'allocated' then
    drained(f)
  end
end

-- Has a container made clean that is available, instead of giving it out.
local function make_clean(f)
  local changes = {}
  want_reset(f, changes)
  settle(f, false, changes)
end
