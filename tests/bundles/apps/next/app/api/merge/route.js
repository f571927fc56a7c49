import { merge } from '@mk/merge'

export async function POST(request) {
  const { recipe, ...options } = await request.json()
  try {
    return Response.json(await merge(recipe, options))
  } catch (error) {
    return new Response(error.stack, { status: 500 })
  }
}
