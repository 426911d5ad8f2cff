declare module '*.css';
declare module 'monaco-graphql/esm/monaco-editor.js';
declare module 'cytoscape-fcose' {
  const extension: import('cytoscape').Ext;
  export default extension;
}
