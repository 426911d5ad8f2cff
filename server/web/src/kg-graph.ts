/** The script that other pages load. Its own address says where the service is. */
import { defineKgGraph } from './graph/element';

export { KgGraph } from './graph/element';

defineKgGraph(new URL('../graphql', import.meta.url));
