// The library is CommonJS, and its default export is not the one that Grafana's components import.
const library = require('./node_modules/react-custom-scrollbars-2/lib/index.js');
export default library.Scrollbars;
export const Scrollbars = library.Scrollbars;
