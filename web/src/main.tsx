import { render } from 'preact'
import './style.css'
import { App } from './app'
import { begin } from './live/store'

const root = document.getElementById('app')
if (root) {
  render(<App />, root)
  void begin()
}
