/** What narrows a list down. */
import type { Signal } from '@preact/signals'
import { types } from '../live/store'

/** Words that a row must have, all of them. */
export function Search({ words, placeholder }: { words: Signal<string>; placeholder: string }) {
  return (
    <label>
      Search
      <input
        type="search"
        placeholder={placeholder}
        value={words.value}
        onInput={(event) => (words.value = event.currentTarget.value)}
      />
    </label>
  )
}

/** One of these, or all; `show` says how it stands in the list. */
export function Choice({ label, chosen, of, show = (one) => one }: { label: string; chosen: Signal<string>; of: readonly string[]; show?: (one: string) => string }) {
  return (
    <label>
      {label}
      <select value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
        <option value="">all</option>
        {of.map((one) => (
          <option key={one} value={one}>
            {show(one)}
          </option>
        ))}
      </select>
    </label>
  )
}

/** One of the types that there are. */
export const TypeChoice = ({ chosen }: { chosen: Signal<string> }) => (
  <Choice label="Type" chosen={chosen} of={types.value.map(({ target_type }) => target_type)} />
)
