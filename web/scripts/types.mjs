// Writes src/api/schema.ts from the OpenAPI document; with --check says whether it is what it would write.
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const document = new URL('../../tests/api/openapi.json', import.meta.url)
const target = new URL('../src/api/schema.ts', import.meta.url)
const head = '// Written by `npm run types` from tests/api/openapi.json.\n\n'

const text = head + astToString(await openapiTS(document, { defaultNonNullable: false }))
if (!process.argv.includes('--check')) {
  writeFileSync(target, text)
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('web/src/api/schema.ts is not what tests/api/openapi.json says: run `npm run types` in web/')
  process.exit(1)
}
