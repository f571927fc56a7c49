/**
 * The result is computed in tiles of as many rows and columns as fit the registers; factors are packed so that the micro kernel
 * reads them from first to last. What a multiplication works on at once stays in the second-level cache.
 */
export const TILE_ROWS = 4
export const TILE_COLUMNS = 8
/** Of the result, computed before the next part: multiples of the tile. */
export const BLOCK_ROWS = 256
export const BLOCK_COLUMNS = 512

export const TILE_BYTES = 8 * TILE_ROWS * TILE_COLUMNS
