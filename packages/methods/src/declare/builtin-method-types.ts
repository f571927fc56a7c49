// Written by 'npm run docs' from the declarations of the methods, with the texts that they have there.
/* oxlint-disable max-lines -- nobody reads it from top to bottom */

/** The built-in methods and their parameters, as the types of recipes and of `mergeArrays` have them. */
export interface BuiltinMethodTypes {
  /** Weighted average of the models. Source: [Model soups (Wortsman et al. 2022)](https://arxiv.org/abs/2203.05482). Models: 1 or more; base: not used. */
  readonly linear: {
    readonly name: 'linear'
    readonly base: 'none'
    readonly perModel: {
      /** How much of the model goes in, relative to the others. Takes a number, metagpt or inverse_norm. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Divide by the sum of the weights. true unless given. */
      readonly normalize?: boolean
    }
  }
  /** Spherical interpolation from the base model to one other. Source: [Animating rotation with quaternion curves (Shoemake 1985)](https://en.wikipedia.org/wiki/Slerp). Models: 1; base: required. */
  readonly slerp: {
    readonly name: 'slerp'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** Position on the way from the base (0) to the other model (1). Takes a number, usually 0 to 1. Must be set, for all models or for each. */
      readonly t?: number
    }
  }
  /** The tensors of one model as they are, optionally scaled; with layer slices it stacks models. Models: 1; base: not used. */
  readonly passthrough: {
    readonly name: 'passthrough'
    readonly base: 'none'
    readonly perModel: {
      /** Factor on the tensor; 1 copies it. Takes a number. 1 unless given. */
      readonly scale?: number
    }
    readonly methodWide: object
  }
  /** Average of the models, each element weighted by how important it is to each of them. Source: [Fisher merging (Matena & Raffel 2021)](https://arxiv.org/abs/2111.09832). Models: 1 or more; base: not used. */
  readonly fisher: {
    readonly name: 'fisher'
    readonly base: 'none'
    readonly perModel: {
      /** A file with a tensor for each of the model, of the same name and shape: how important each element is. Takes a text. Must be set, for all models or for each. */
      readonly importance?: string
      /** Factor on the importance of the model, relative to the others. Takes a number of at least 0, metagpt or inverse_norm. 1 unless given. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: object
    readonly tensors: 'importance'
  }
  /** Base plus the weighted task vectors. Source: [Editing models with task arithmetic (Ilharco et al. 2022)](https://arxiv.org/abs/2212.04089). Models: 1 or more; base: required. */
  readonly task_arithmetic: {
    readonly name: 'task_arithmetic'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Divide by the sum of the weights: only their ratios count. false unless given. */
      readonly normalize?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Task vectors trimmed to their largest elements, merged where they agree with the elected sign. Source: [TIES-Merging (Yadav et al. 2023)](https://arxiv.org/abs/2306.01708). Models: 1 or more; base: required. */
  readonly ties: {
    readonly name: 'ties'
    readonly base: 'required'
    readonly perModel: {
      /** How much of the model goes in, relative to the others. Takes a number, metagpt or inverse_norm. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** Share of the changes that is kept: 1 all, 0 none. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly density?: number
    }
    readonly methodWide: {
      /** Divide by the weights of the models that agree, element by element: only their ratios count. true unless given. */
      readonly normalize?: boolean
      /** Scale what is kept of a task vector to the size (L1 norm) that it had. false unless given. */
      readonly rescale?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** How the sign of each element is elected: by the sum of the weighted changes, or by counting models. Takes sum or count. sum unless given. */
      readonly consensus_method?: 'sum' | 'count'
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Task vectors thinned at random and rescaled. Source: [DARE (Yu et al. 2023)](https://arxiv.org/abs/2311.03099). Models: 1 or more; base: required. */
  readonly dare_linear: {
    readonly name: 'dare_linear'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** Share of the changes that is kept: 1 all, 0 none. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly density?: number
      /** DAREx-q: what is kept is divided by this, in the place of `rescale`; the density gives DARE as published, 0 leaves it to `rescale`. Takes a number of at least 0, usually 0 to 1. 0 unless given. */
      readonly q?: number
    }
    readonly methodWide: {
      /** Divide by the sum of the weights: only their ratios count. false unless given. */
      readonly normalize?: boolean
      /** Scale what is kept of a task vector to the size (L1 norm) that it had. true unless given. */
      readonly rescale?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Task vectors thinned at random and rescaled, merged where they agree with the elected sign. Source: [DARE (Yu et al. 2023)](https://arxiv.org/abs/2311.03099). Models: 1 or more; base: required. */
  readonly dare_ties: {
    readonly name: 'dare_ties'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** Share of the changes that is kept: 1 all, 0 none. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly density?: number
      /** DAREx-q: what is kept is divided by this, in the place of `rescale`; the density gives DARE as published, 0 leaves it to `rescale`. Takes a number of at least 0, usually 0 to 1. 0 unless given. */
      readonly q?: number
    }
    readonly methodWide: {
      /** Divide by the weights of the models that agree, element by element: only their ratios count. false unless given. */
      readonly normalize?: boolean
      /** Scale what is kept of a task vector to the size (L1 norm) that it had. true unless given. */
      readonly rescale?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** How the sign of each element is elected: by the sum of the weighted changes, or by counting models. Takes sum or count. sum unless given. */
      readonly consensus_method?: 'sum' | 'count'
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Task vectors thinned at random, small elements the more, and rescaled; merged where they agree with the elected sign. Source: [DELLA-Merging (Deep et al. 2024)](https://arxiv.org/abs/2406.11617). Models: 1 or more; base: required. */
  readonly della: {
    readonly name: 'della'
    readonly base: 'required'
    readonly perModel: {
      /** How much of the model goes in, relative to the others. Takes a number, metagpt or inverse_norm. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** Share of the changes that is kept: 1 all, 0 none. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly density?: number
      /** Half the range of probabilities: the smallest change of a row is kept with density − epsilon, the largest with density + epsilon. Takes a number of at least 0. 0.15 unless given. */
      readonly epsilon?: number
    }
    readonly methodWide: {
      /** Divide by the weights of the models that agree, element by element: only their ratios count. true unless given. */
      readonly normalize?: boolean
      /** Scale what is kept of a task vector to the size (L1 norm) that it had. true unless given. */
      readonly rescale?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** How the sign of each element is elected: by the sum of the weighted changes, or by counting models. Takes sum or count. sum unless given. */
      readonly consensus_method?: 'sum' | 'count'
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Task vectors thinned at random, small elements the more, and rescaled. Source: [DELLA-Merging (Deep et al. 2024)](https://arxiv.org/abs/2406.11617). Models: 1 or more; base: required. */
  readonly della_linear: {
    readonly name: 'della_linear'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** Share of the changes that is kept: 1 all, 0 none. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly density?: number
      /** Half the range of probabilities: the smallest change of a row is kept with density − epsilon, the largest with density + epsilon. Takes a number of at least 0. 0.15 unless given. */
      readonly epsilon?: number
    }
    readonly methodWide: {
      /** Divide by the sum of the weights: only their ratios count. false unless given. */
      readonly normalize?: boolean
      /** Scale what is kept of a task vector to the size (L1 norm) that it had. true unless given. */
      readonly rescale?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Task vectors without their largest and smallest elements. Source: [Model Breadcrumbs (Davari & Belilovsky 2023)](https://arxiv.org/abs/2312.06795). Models: 1 or more; base: required. */
  readonly breadcrumbs: {
    readonly name: 'breadcrumbs'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** Share of the changes that is kept: 1 all, 0 none. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly density?: number
      /** Share of the changes that is dropped as outliers, largest first. Takes a number of at least 0, usually 0 to 1. 0.01 unless given. */
      readonly gamma?: number
    }
    readonly methodWide: {
      /** Divide by the sum of the weights: only their ratios count. false unless given. */
      readonly normalize?: boolean
      /** Scale what is kept of a task vector to the size (L1 norm) that it had. false unless given. */
      readonly rescale?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Task vectors without their largest and smallest elements, merged where they agree with the elected sign. Source: [Model Breadcrumbs (Davari & Belilovsky 2023)](https://arxiv.org/abs/2312.06795). Models: 1 or more; base: required. */
  readonly breadcrumbs_ties: {
    readonly name: 'breadcrumbs_ties'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** Share of the changes that is kept: 1 all, 0 none. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly density?: number
      /** Share of the changes that is dropped as outliers, largest first. Takes a number of at least 0, usually 0 to 1. 0.01 unless given. */
      readonly gamma?: number
    }
    readonly methodWide: {
      /** Divide by the weights of the models that agree, element by element: only their ratios count. false unless given. */
      readonly normalize?: boolean
      /** Scale what is kept of a task vector to the size (L1 norm) that it had. false unless given. */
      readonly rescale?: boolean
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
      /** How the sign of each element is elected: by the sum of the weighted changes, or by counting models. Takes sum or count. sum unless given. */
      readonly consensus_method?: 'sum' | 'count'
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Base plus the weighted task vectors, where enough of the models find their own change in the sum. Source: [TALL masks and Consensus TA (Wang et al. 2024)](https://arxiv.org/abs/2405.07813). Models: 1 or more; base: required. */
  readonly consensus_ta: {
    readonly name: 'consensus_ta'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. 1 unless given. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
      /** How large a model's change must be, beside what the others add to it, to count as its own. Takes a number of at least 0, usually 0.1 to 1. 0.4 unless given. */
      readonly tall_mask_lambda?: number
    }
    readonly methodWide: {
      /** How many models must find their change in an element for it to stay; 0 keeps all. Takes a whole number of at least 0. 2 unless given. */
      readonly k?: number
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
    }
  }
  /** Of each element the largest change that has the sign of the sum of all changes. Source: [EMR-Merging (Huang et al. 2024)](https://arxiv.org/abs/2405.17461). Models: 1 or more; base: required. */
  readonly emr: {
    readonly name: 'emr'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
      /** LiNeS: factor on what is added to the first layer, and to what is in no layer. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lines_alpha?: number
      /** LiNeS: by how much that factor has grown at the last layer. Takes a number, usually -10 to 10. 0 unless given. */
      readonly lines_beta?: number
    }
  }
  /** Base plus the task vectors, each element times what a file says of it. Source: [EMR-Merging (Huang et al. 2024)](https://arxiv.org/abs/2405.17461). Models: 1 or more; base: required. */
  readonly masked_task_arithmetic: {
    readonly name: 'masked_task_arithmetic'
    readonly base: 'required'
    readonly perModel: {
      /** A file with a tensor for each of the model, of the same name and shape, whose elements are factors on the model's changes, such as one that mk-emr writes. Takes a text. Must be set, for all models or for each. */
      readonly mask?: string
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. 1 unless given. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Factor on all that is added to the base: 0 is the base, above 1 exaggerates. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
    }
    readonly tensors: 'mask'
  }
  /** Spherical interpolation of two models by weight, optionally of their task vectors, as a whole, by row or by column. Source: [NuSLERP (mergekit)](https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md). Models: 2; base: optional. */
  readonly nuslerp: {
    readonly name: 'nuslerp'
    readonly base: 'optional'
    readonly perModel: {
      /** How much of the model goes in, relative to the others. Takes a number, metagpt or inverse_norm. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Take each tensor as one vector. true unless given. */
      readonly nuslerp_flatten?: boolean
      /** Without nuslerp_flatten: vectors along the first dimension instead of the last. false unless given. */
      readonly nuslerp_row_wise?: boolean
    }
  }
  /** Weighted mean of the directions of any number of models, or of their task vectors, on the sphere. Source: [Multi-SLERP (Goddard 2025)](https://goddard.blog/posts/multislerp-wow-what-a-cool-idea). Models: 1 or more; base: optional. */
  readonly multislerp: {
    readonly name: 'multislerp'
    readonly base: 'optional'
    readonly perModel: {
      /** How much of the model goes in, relative to the others. Takes a number, metagpt or inverse_norm. Must be set, for all models or for each. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Divide the weights by their sum. true unless given. */
      readonly normalize_weights?: boolean
      /** Added to lengths before they are divided by. Takes a number of at least 0. 1e-8 unless given. */
      readonly eps?: number
    }
  }
  /** Riemannian mean of the directions of the models on the sphere, equally weighted. Source: [Riemannian center of mass (Karcher 1977)](https://en.wikipedia.org/wiki/Karcher_mean). Models: 1 or more; base: not used. */
  readonly karcher: {
    readonly name: 'karcher'
    readonly base: 'none'
    readonly perModel: object
    readonly methodWide: {
      /** Iterations at most. Takes a whole number of at least 0. 10 unless given. */
      readonly max_iter?: number
      /** Stop when a step is shorter than this. Takes a number of more than 0. 0.00001 unless given. */
      readonly tol?: number
    }
  }
  /** Between the base and the average of the models, the closer to the average the more their task vectors agree. Source: [Model Stock (Jang et al. 2024)](https://arxiv.org/abs/2403.19522). Models: 2 or more; base: required. */
  readonly model_stock: {
    readonly name: 'model_stock'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** One angle for each row instead of one for the tensor. false unless given. */
      readonly filter_wise?: boolean
    }
  }
  /** Task vectors where they vary most, weighted by their energy, merged where they agree with the elected sign. Source: [FuseChat: SCE (Wan et al. 2024)](https://arxiv.org/abs/2408.07990). Models: 1 or more; base: required. */
  readonly sce: {
    readonly name: 'sce'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** Share of the elements that vary which is kept, largest variance first. Takes a number of at least 0, usually 0 to 1. 1 unless given. */
      readonly select_topk?: number
      /** Accepted for compatibility; has no effect. false unless given. */
      readonly int8_mask?: boolean
    }
  }
  /** Base plus changes that one model alone has, and the average of those that several share. Source: [Reinforced Agent Merging (2026)](https://arxiv.org/abs/2601.13572). Models: 1 or more; base: required. */
  readonly ram: {
    readonly name: 'ram'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** Changes of the base up to this size count as none. Takes a number of at least 0. 0.00001 unless given. */
      readonly epsilon?: number
    }
  }
  /** As ram, unique changes amplified by how much of a model is shared, tensor by tensor. Source: [Reinforced Agent Merging (2026)](https://arxiv.org/abs/2601.13572). Models: 1 or more; base: required. */
  readonly ramplus_tl: {
    readonly name: 'ramplus_tl'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** How much unique changes are amplified for each shared one. Takes a number. 0.1 unless given. */
      readonly r?: number
      /** Largest ratio of shared to unique changes that counts. Takes a number of at least 0. 0.2 unless given. */
      readonly alpha?: number
      /** Changes of the base up to this size count as none. Takes a number of at least 0. 0.00001 unless given. */
      readonly epsilon?: number
    }
  }
  /** The other model where it is near the base, the base where it is far. Source: [QuartetAnemoi (alchemonaut 2024)](https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001). Models: 1; base: required. */
  readonly nearswap: {
    readonly name: 'nearswap'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** Difference up to which the other model is taken as it is. Takes a number. Must be set, for all models or for each. */
      readonly t?: number
    }
  }
  /** Base, but the other model where its changes matter most. Source: [Arcee Fusion (Arcee AI)](https://www.arcee.ai). Models: 1; base: required. */
  readonly arcee_fusion: {
    readonly name: 'arcee_fusion'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: object
  }
  /** Base plus the summed task vectors of each matrix, all their singular values replaced by the mean. Source: [Isotropic merging (Marczak et al. 2025)](https://arxiv.org/abs/2502.04959). Models: 1 or more; base: required. */
  readonly iso_c: {
    readonly name: 'iso_c'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. 1 unless given. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Factor on the merged change of the base. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
    }
  }
  /** Base plus the leading singular directions of each task vector, made orthogonal to those of the others. Source: [Task Singular Vectors (Gargiulo et al. 2024)](https://arxiv.org/abs/2412.00081). Models: 1 or more; base: required. */
  readonly tsv_m: {
    readonly name: 'tsv_m'
    readonly base: 'required'
    readonly perModel: {
      /** Factor on the change that the model makes to the base. Takes a number, metagpt or inverse_norm, usually -10 to 10. 1 unless given. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Factor on the merged change of the base. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
    }
  }
  /** Base plus the task vectors of each matrix weighted by the covariances of inputs that they let guess. Source: [ACE-Merging (Xu et al. 2026)](https://arxiv.org/abs/2603.02945). Models: 1 or more; base: required. */
  readonly ace: {
    readonly name: 'ace'
    readonly base: 'required'
    readonly perModel: object
    readonly methodWide: {
      /** Added to the diagonal of each covariance: the more, the nearer to the plain average. Takes a number of more than 0. 0.01 unless given. */
      readonly eps?: number
      /** The share of singular directions that is added where models differ much. Takes a number of at least 0 and at most 1. 0.3 unless given. */
      readonly k_frac?: number
      /** Factor on the merged change of the base. Takes a number, usually -10 to 10. 1 unless given. */
      readonly lambda?: number
    }
  }
  /** Average of the models, each matrix weighted by the inputs that it gets in each of them. Source: [RegMean (Jin et al. 2023)](https://arxiv.org/abs/2212.09849). Models: 1 or more; base: not used. */
  readonly regmean: {
    readonly name: 'regmean'
    readonly base: 'none'
    readonly perModel: {
      /** A file with XᵀX for the weight of each linear layer, under its name: X are the inputs of the layer, one in a row. Takes a text. Must be set, for all models or for each. */
      readonly statistics?: string
      /** Factor on the statistics of the model, relative to the others. Takes a number of at least 0, metagpt or inverse_norm. 1 unless given. */
      readonly weight?: number | 'metagpt' | 'inverse_norm'
    }
    readonly methodWide: {
      /** Factor on what is off the diagonal of XᵀX: 1 trusts the data, 0 weights columns alone. Takes a number of at least 0 and at most 1. 0.9 unless given. */
      readonly alpha?: number
      /** Added to the diagonal, as a share of its mean: the more, the nearer to the plain average. Takes a number of at least 0. 0.000001 unless given. */
      readonly damping?: number
    }
    readonly tensors: 'statistics'
  }
}
