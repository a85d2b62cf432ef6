import { render } from 'preact'
import './style.css'
import { App } from './app'
import { begin } from './live/store'
import { route } from './router'

const root = document.getElementById('app')
if (root) {
  render(<App />, root)
  // Who has a link to one desktop has no key.
  if (route.value.page !== 'watch') void begin()
}
