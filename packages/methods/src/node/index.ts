export { loadMethodModule, loadMethodsOfModule } from './load-method-module.ts'
