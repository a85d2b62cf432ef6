-- Opens the script: reads the clock, checks the server's identity, and gives pool time.
-- On another server than the one that the type's data was last used with, or without data, nothing is done:
-- writes may be lost, and `begin` is what decides how to go on.
-- Pool time is Redis's clock less an offset. A clock more than 2 s past the last tick (nobody ran for so long), or
-- before it (the clock was set back), first moves the offset by the difference, so that no lease loses by it.
-- `growing`: the script makes something new, and is refused when memory is full, before it has changed anything.
-- Returns nil, or the reply of a script that must not go on.
local function open(growing)
  local refused = read()
  if refused then
    return refused
  end
  local check = ARGV[1] == '1' or ARGV[1] == '3' or S.us - S.checked > 5000 or S.us < S.checked
  if not S.server then
    return { 'another_server' }
  end
  local changes = {}
  local function change(field, value)
    changes[#changes + 1] = field
    changes[#changes + 1] = value
  end
  if check then
    local server, alone = identity()
    if S.server ~= server then
      -- A primary that gets its first replica, or had none for long, takes another replication id: its data stay.
      if not alone or string.sub(S.server, 1, 40) ~= string.sub(server, 1, 40) then
        return { 'another_server' }
      end
      change('server', server)
    end
    change('checked', int(S.us))
  end
  if S.wall - S.tick > 2000 or S.wall < S.tick then
    S.offset = S.offset + S.wall - S.tick
    change('offset', int(S.offset))
    change('tick', int(S.wall))
  elseif S.wall - S.tick >= 100 then
    change('tick', int(S.wall))
  end
  S.now = S.wall - S.offset
  S.recovering = S.pause ~= nil and S.now < S.pause
  if growing and S.now >= S.due then
    -- What is taken back first begins with a write that needs no memory: this one asks for it.
    change('tick', int(S.wall))
  end
  if #changes > 0 then
    if not growing then
      licence()
    end
    redis.call('HSET', KEYS[1], unpack(changes))
    S.licensed = true
  end
  return nil
end
