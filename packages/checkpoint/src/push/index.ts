export {
  checkPush,
  listPushed,
  pushFolder,
  type PushedFile,
  type PushOptions,
  type PushProgress,
  type PushResult,
} from './push-folder.ts'
