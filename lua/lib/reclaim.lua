-- Takes back what is overdue, if anything is; returns how many were. The type's record says before when nothing is: then this costs
-- nothing. `anyway` looks all the same. What it takes for that, `taking_back` makes: nearly no call needs it.
local function reclaim(anyway)
  if S.now < S.due and not anyway then
    return 0
  end
  local _, take_back = taking_back()
  return take_back()
end
