/** node build/run.js http://127.0.0.1:8000/graphql MONDO:0007915 */
import { main } from './example.js';

const script = globalThis as unknown as { process: { argv: string[] } };
await main(script.process.argv[2] ?? 'http://127.0.0.1:8000/graphql', script.process.argv[3] ?? 'MONDO:0007915');
