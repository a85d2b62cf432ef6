-- Gives a container back that a session held: made clean first where its type has a reset or a restart was asked for, else
-- settled at once. One that nobody was told of (`untold`: its offer was not claimed) is as clean as it was. In a recovery, the
-- end of a lease that lived at the loss shows that nobody else holds the container.
local function give_back(f, s, untold)
  f.lease = nil
  f.at = nil
  local changes = { 'lease', '', 'at', '' }
  if f.restart or (f.on_end == 'reset' and not untold) then
    want_reset(f, changes)
    if not untold then
      f.uses = int(tonumber(f.uses or 0) + 1)
      changes[#changes + 1] = 'uses'
      changes[#changes + 1] = f.uses
    end
  end
  if S.recovering and s.proven == int(S.epoch) and not free_from(f) then
    f.clear = int(S.loss) .. '-' .. int(S.trust)
    changes[#changes + 1] = 'clear'
    changes[#changes + 1] = f.clear
  end
  settle(f, true, changes)
end
