import { defineConfig } from 'vite';

// Names without hashes: the same sources give the same files, which are committed and built into the assembly.
export default defineConfig({
  base: './',
  build: {
    outDir: '../wwwroot',
    emptyOutDir: true,
    modulePreload: false,
    target: 'es2022',
    rollupOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: 'chunk-[name].js',
        assetFileNames: 'app[extname]',
      },
    },
  },
});
