internal import ModelImport

extension GraphReader {
  /// What the importer reads, for whoever meets a refusal.
  static let supported = """
    Gemm, MatMul, Add, Sub, Mul, Div, activations (Relu, LeakyRelu, PRelu, Sigmoid, Tanh, Gelu, Erf), BatchNormalization, \
    LayerNormalization, LSTM, GRU, Conv, Softmax, reshaping, QuantizeLinear, DequantizeLinear, and of ai.onnx.ml Scaler, \
    Imputer, LinearClassifier, LinearRegressor, TreeEnsembleClassifier, TreeEnsembleRegressor
    """

  /// Reads one node.
  mutating func read(_ node: GraphNode) throws(ImportError) {
    guard ["", "ai.onnx", "ai.onnx.ml"].contains(node.node.domain) else {
      throw node.refused("an operator of ONNX itself: \(Self.supported)\(Self.hint(node.type))")
    }
    guard node.inputs.count <= 4_096, node.outputs.count <= 4_096 else { throw node.refused("at most 4,096 inputs") }
    try spend(node)
    let results = try results(node)
    for (name, result) in zip(node.outputs, results) where !name.isEmpty { meanings[name] = result }
  }

  /// Counts the known numbers that a node reads, so that no file makes the same large tensor be read without end.
  private mutating func spend(_ node: GraphNode) throws(ImportError) {
    for name in node.inputs {
      guard let constant = meanings[name]?.constant else { continue }
      numbersRead += constant.count
    }
    guard numbersRead <= 1 << 28 else { throw node.refused("less arithmetic on constants") }
  }

  private mutating func results(_ node: GraphNode) throws(ImportError) -> [Meaning] {
    switch node.type {
    case "Constant", "ConstantOfShape", "Range", "Trilu", "Where", "Equal", "Greater", "Less", "GreaterOrEqual",
      "LessOrEqual", "And", "Or", "Mod", "Min", "Max", "Not", "IsNaN", "ReduceProd", "Size":
      return [try folded(node)]
    case "Neg", "Sqrt", "Exp", "Log", "Reciprocal", "Abs", "Floor", "Ceil", "Erf", "Relu", "LeakyRelu", "PRelu",
      "Sigmoid",
      "Tanh", "Gelu", "Silu", "Swish":
      return [try unary(node)]
    case "Add", "Sub", "Mul", "Div", "Pow": return [try binary(node)]
    case "Identity", "Dropout", "Cast", "ZipMap", "CastLike":
      return [try passed(node)] + node.outputs.dropFirst().map { _ in .unusable("the mask of Dropout") }
    case "Normalizer": return [try normalizer(node)]
    case "Shape": return [try shape(node)]
    case "Reshape", "Flatten", "Transpose", "Unsqueeze", "Squeeze", "Expand": return [try rearranged(node)]
    case "Slice": return [try slice(node)]
    case "Gather", "ArrayFeatureExtractor": return [try gather(node)]
    case "Split": return try split(node)
    case "Concat": return [try concat(node)]
    case "Pad": return [try pad(node)]
    case "Gemm": return [try gemm(node)]
    case "MatMul": return [try matMul(node)]
    case "BatchNormalization": return [try batchNormalisation(node)]
    case "LayerNormalization": return [try layerNormalisation(node)]
    case "ReduceMean": return [try reduceMean(node)]
    case "Softmax": return [try softmax(node)]
    case "Conv": return [try convolution(node)]
    case "LSTM", "GRU": return try recurrent(node)
    case "QuantizeLinear": return [try quantised(node)]
    case "DequantizeLinear": return [try dequantised(node)]
    case "Scaler": return [try scaler(node)]
    case "Imputer": return [try imputer(node)]
    case "LinearRegressor": return [try linearRegressor(node)]
    case "LinearClassifier": return [.unusable("class labels"), try linearClassifier(node)]
    case "TreeEnsembleRegressor": return [.forest(try forest(node, isClassifier: false))]
    case "TreeEnsembleClassifier": return [.unusable("class labels"), .forest(try forest(node, isClassifier: true))]
    default: throw node.refused("a supported operator: \(Self.supported)\(Self.hint(node.type))")
    }
  }

  /// What to do instead, for what exporters are known to write.
  private static func hint(_ type: String) -> String {
    switch type {
    case "MatMulInteger", "DynamicQuantizeLinear", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "ConvInteger":
      "; dynamic quantisation is not read: export the network unquantised, or with static QDQ"
    case "QLinearMatMul", "QLinearConv", "QGemm":
      "; use the QDQ form, QuantizeLinear and DequantizeLinear around float operators"
    case "TreeEnsemble": "; export with ai.onnx.ml below 5"
    case "If", "Loop", "Scan": "; control flow is not read: export with fixed shapes"
    default: ""
    }
  }
}
