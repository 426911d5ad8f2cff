import './workers';
import 'monaco-graphql/esm/monaco-editor.js'; // static, so that its styles are part of graphiql.css
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';

import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { linkedTab, readExamples, tabOf } from './examples';
import { examplesPanel } from './examples-panel';
import { fetcherFor } from './fetcher';

const root = document.getElementById('graphiql');
if (!root) throw new Error('the page has no element with id "graphiql"');

const examples = readExamples(document);
const linked = linkedTab(new URL(location.href));
const tabs = [...(linked ? [linked] : []), ...examples.map(tabOf)];
const fetcher = fetcherFor(new URL(root.dataset['endpoint'] ?? 'graphql', document.baseURI));

createRoot(root).render(
  <GraphiQL
    fetcher={fetcher}
    {...(tabs.length > 0 && { defaultTabs: tabs })} // GraphiQL cannot start with an empty list
    {...(linked && { initialQuery: linked.query, initialVariables: linked.variables })}
    defaultEditorToolsVisibility="variables"
    plugins={[...(examples.length > 0 ? [examplesPanel(examples)] : []), HISTORY_PLUGIN]}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>{document.title}</GraphiQL.Logo>
  </GraphiQL>,
);
