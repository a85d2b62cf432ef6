-- Gives a container back that a session held: made clean first where its type has a reset, else settled at once. In a
-- recovery, the end of a lease that lived at the loss shows that nobody else holds the container.
local function give_back(f, s)
  f.lease = nil
  f.at = nil
  local changes = { 'lease', '', 'at', '' }
  local function change(name, value)
    f[name] = value
    changes[#changes + 1] = name
    changes[#changes + 1] = value
  end
  if f.on_end == 'reset' then
    change('reset', 'due')
    change('era', int(tonumber(f.era or 0) + 1))
  end
  if S.recovering and s.proven == int(S.epoch) and not free_from(f) then
    change('clear', int(S.epoch) .. '-' .. int(S.trust))
  end
  settle(f, true, changes)
end
