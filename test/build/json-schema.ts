/** Writes the JSON Schema of `--json` beside the compiled terminal/, from where the package ships it. Part of `npm run build`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jsonLinesSchema } from './json-lines-schema.js';

const file = fileURLToPath(new URL('../../src/terminal/json-lines.schema.json', import.meta.url));
writeFileSync(file, `${JSON.stringify(jsonLinesSchema(), undefined, 2)}\n`);
