internal import TradingTypes

// The bodies of the sections; `ArtifactWriter` has the other side of each.
extension SectionReader {
  mutating func mask(_ what: String) throws(ArtifactError) -> FeatureMask {
    let low = try integer(UInt64.self, what)
    let high = try integer(UInt32.self, what)
    return FeatureMask(low: low, high: high)
  }

  /// required mask, zero mask, tree count; scale; threshold counts (u8) and thresholds (f32) of each slot;
  /// then of each tree: leaf count, nodes of 8 bytes, leaves (f64).
  mutating func treesMember() throws(ArtifactError) -> EnsembleModel.Member {
    let required = try mask("the mask of required slots")
    let zeroIsMissing = try mask("the mask of slots where zero is missing")
    let treeCount = try count(1...TreeModel.treeCountMax, "a number of trees")
    try padding(to: 8)
    let scale = try double("the scale")
    var counts: [Int] = []
    for _ in 0..<FeatureVector.count { counts.append(Int(try integer(UInt8.self, "a number of thresholds"))) }
    var thresholds: [[Float]] = []
    for count in counts {
      var list: [Float] = []
      for _ in 0..<count { list.append(try float("a threshold")) }
      thresholds.append(list)
    }
    var trees: [TreeModel.Tree] = []
    for _ in 0..<treeCount {
      let leafCount = try count(1...TreeModel.leafCountMax, "a number of leaves")
      var nodes: [TreeModel.Node] = []
      for _ in 1..<leafCount { nodes.append(try node()) }
      try padding(to: 8)
      var leaves: [Double] = []
      for _ in 0..<leafCount { leaves.append(try double("a leaf")) }
      trees.append(TreeModel.Tree(nodes: nodes, leaves: leaves))
    }
    let model = TreeModel(thresholds: thresholds, zeroIsMissing: zeroIsMissing, trees: trees, scale: scale)
    return EnsembleModel.Member(kind: .trees(model), required: required)
  }

  private mutating func node() throws(ArtifactError) -> TreeModel.Node {
    let feature = try integer(UInt8.self, "a feature")
    let bin = try integer(UInt8.self, "a bin")
    let flags = try integer(UInt16.self, "flags")
    guard flags <= 1 else { throw refused("flags of 0 or 1") }
    let left = try integer(Int16.self, "a left child")
    let right = try integer(Int16.self, "a right child")
    return TreeModel.Node(feature: feature, bin: bin, missingGoesRight: flags == 1, left: left, right: right)
  }

  /// required mask, layer count; centers and inverse steps (f32); then of each layer: inputs, outputs, bias (i32),
  /// scales (f32), weights (i8, padded to 4 bytes).
  mutating func networkMember() throws(ArtifactError) -> EnsembleModel.Member {
    let required = try mask("the mask of required slots")
    let layerCount = try count(1...NeuralModel.layerCountMax, "a number of layers")
    var centers: [Float] = []
    for _ in 0..<FeatureVector.count { centers.append(try float("a center")) }
    var inverseSteps: [Float] = []
    for _ in 0..<FeatureVector.count { inverseSteps.append(try float("an inverse step")) }
    var layers: [NeuralModel.Layer] = []
    for _ in 0..<layerCount {
      let inputs = try count(1...NeuralModel.widthMax, "a number of inputs")
      let outputs = try count(1...NeuralModel.widthMax, "a number of outputs")
      var bias: [Int32] = []
      for _ in 0..<outputs { bias.append(try integer(Int32.self, "a bias")) }
      var scales: [Float] = []
      for _ in 0..<outputs { scales.append(try float("a scale")) }
      var weights: [Int8] = []
      for _ in 0..<(inputs * outputs) { weights.append(try integer(Int8.self, "a weight")) }
      try padding(to: 4)
      layers.append(
        NeuralModel.Layer(inputs: inputs, outputs: outputs, weights: weights, bias: bias, scales: scales))
    }
    let model = NeuralModel(centers: centers, inverseSteps: inverseSteps, layers: layers)
    return EnsembleModel.Member(kind: .network(model), required: required)
  }

  /// member count, then doubles: average weights, stack weights, bias, both shares, slope, intercept.
  mutating func combiner() throws(ArtifactError) -> CombinerValues {
    let memberCount = try count(1...Combiner.capacity, "a number of members")
    try padding(to: 8)
    var averageWeights: [Double] = []
    for _ in 0..<memberCount { averageWeights.append(try double("an average weight")) }
    var stackWeights: [Double] = []
    for _ in 0..<memberCount { stackWeights.append(try double("a stack weight")) }
    let stackBias = try double("the bias")
    let stackShare = try double("the share of the stack")
    let averageShare = try double("the share of the average")
    let slope = try double("the slope")
    let intercept = try double("the intercept")
    return CombinerValues(
      averageWeights: averageWeights, stackWeights: stackWeights, stackBias: stackBias, stackShare: stackShare,
      averageShare: averageShare, calibrationSlope: slope, calibrationIntercept: intercept)
  }

  /// Lines `key=value` in printable ASCII, keys ascending, each ended by a newline.
  mutating func metadata() throws(ArtifactError) -> [String: String] {
    var pairs: [String: String] = [:]
    var last = ""
    while offset < end {
      let start = offset
      var line: [UInt8] = []
      while true {
        let byte = try integer(UInt8.self, "a newline")
        if byte == 0x0A { break }
        guard (0x20...0x7E).contains(byte) else { throw refused("printable ASCII") }
        line.append(byte)
      }
      func refusedLine(_ expected: String) -> ArtifactError {
        ArtifactError(file: bytes.name, section: section, offsetBytes: start, expected: expected)
      }
      guard let split = line.firstIndex(of: UInt8(ascii: "=")), split > 0 else { throw refusedLine("key=value") }
      let key = String(decoding: line[..<split], as: UTF8.self)
      guard last < key else { throw refusedLine("keys in ascending order") }
      pairs[key] = String(decoding: line[(split + 1)...], as: UTF8.self)
      last = key
    }
    return pairs
  }

  /// row count, member count; then of each row: 96 values (f32), valid mask, members (u32), logits, probability,
  /// confidence.
  mutating func goldenRows(memberCount: Int) throws(ArtifactError) -> [GoldenRow] {
    let rowCount = try count(1...4096, "a number of golden rows")
    _ = try count(memberCount...memberCount, "a number of members")
    var rows: [GoldenRow] = []
    for _ in 0..<rowCount {
      var values: [Float] = []
      for _ in 0..<FeatureVector.count { values.append(try float("a value")) }
      let valid = try mask("the mask of valid slots")
      let members = try integer(UInt32.self, "the mask of members")
      var logits: [UInt64] = []
      for _ in 0..<memberCount { logits.append(try integer(UInt64.self, "a logit")) }
      let probability = try integer(UInt64.self, "a probability")
      let confidence = try integer(UInt64.self, "a confidence")
      rows.append(
        GoldenRow(
          values: values, valid: valid, logits: logits, members: members, probabilityUp: probability,
          confidence: confidence))
    }
    return rows
  }
}
