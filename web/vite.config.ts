import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** A compressed copy beside each file: the server embeds both and chooses. */
function compressed(): Plugin {
  const folders = ['dist', 'dist/assets']
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      for (const folder of folders) {
        for (const entry of readdirSync(folder, { withFileTypes: true })) {
          if (!entry.isFile() || entry.name.endsWith('.gz')) continue
          const path = join(folder, entry.name)
          writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
        }
      }
    },
  }
}

const api = ['me', 'containers', 'sessions', 'types', 'events', 'explain', 'recovery', 'healthz']
const server = process.env.LEASEHOLD_URL ?? 'http://127.0.0.1:8088'

export default defineConfig({
  // Relative, so that a proxy may put all of it below a path of its own.
  base: './',
  plugins: [compressed()],
  build: {
    target: 'es2022',
    // The page's policy allows no inlined script, style or font.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(api.map((path) => [`/${path}`, server])) },
})
