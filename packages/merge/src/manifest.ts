// What of package.json outputs tell, for bundles and pages, which have none; 'npm run docs' writes it anew.
export const manifest = {
  version: '0.1.0',
} as const
