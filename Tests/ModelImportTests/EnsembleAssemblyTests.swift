import ModelImport
import ModelInference
import Testing
import TradingTypes

// Goal: an ensemble is put together as its specification says, or refused by the member's name. Method: members of one split each,
// kept in memory under the names of files, whose answers are known.
struct EnsembleAssemblyTests {
  /// Trees of one split each: tree t answers ±`sizes[t]` by the sign of feature t.
  static func forest(_ sizes: [Double], features: Int, link: Link = .logistic(scale: 1)) -> DecisionForest {
    DecisionForest(
      featureCount: features,
      columns: sizes.indices.map { DecisionForest.Column(feature: $0, sight: .thresholds([0], missing: .nan)) },
      trees: sizes.enumerated().map { place, size in
        DecisionForest.Tree(
          nodes: [DecisionForest.Node(column: UInt16(place), test: 0, missingGoesRight: false, left: ~0, right: ~1)],
          leaves: [-size, size])
      }, link: link)
  }

  static func network() throws -> NetworkMember {
    let float = NeuralNetwork(
      featureCount: 1, window: 2, missingValues: [0],
      operators: [
        .lastRow(source: 0),
        .dense(NeuralNetwork.Dense(source: 1, inputs: 1, outputs: 1, weights: [1], bias: [0])),
      ], link: .logistic(scale: 1))
    let windows = (-4...4).map { [[Float($0) / 2], [Float($0)]] }
    return NetworkMember(
      inputs: [0], quantised: try Quantiser().quantise(float, windows: windows).network, float: float)
  }

  /// A model alone over features named by its single letters, as an artifact.
  static func artifact(
    _ names: String, _ kind: EnsembleModel.Member.Kind, combiner: CombinerValues? = nil
  ) throws -> ModelArtifact {
    let model = EnsembleModel(
      features: names.map { "\($0)" }, members: [EnsembleModel.Member(name: "lightgbm", kind: kind)],
      combiner: combiner, metadata: ["kind": "lightgbm", "source.sha256": "5a", "other": "x"])
    return try ModelArtifact(bytes: ArtifactWriter.freeze(model, golden: GoldenRowChoice.rows(for: model, count: 2)))
  }

  static let files = Result { () throws in
    [
      "ab": try artifact("ab", .forest(forest([1, 2], features: 2))),
      "ca": try artifact("ca", .forest(forest([4, 8], features: 2))),
      "net": try artifact("d", .network(network())),
      "joined": try artifact("a", .forest(forest([1], features: 1)), combiner: .equal(memberCount: 1)),
      "regression": try artifact("a", .forest(forest([1], features: 1, link: .identity))),
      // Trained on columns that bear the members' names, in another order; and on columns that do not.
      "meta": try artifact("yx", .forest(forest([1, 16], features: 2))),
      "unnamed": try artifact("pq", .forest(forest([1, 16], features: 2))),
    ]
  }

  /// The model of a specification; a member is its name, a blank, its file, and what else is said of it.
  static func model(_ members: [String], _ rest: String = "") throws -> EnsembleModel {
    let list = members.map { member in
      let name = member.prefix { $0 != " " }
      let file = member.dropFirst(name.count + 1).prefix { $0 != "," }
      return "{\"name\": \"\(name)\", \"model\": \"\(file)\"\(member.dropFirst(name.count + 1 + file.count))}"
    }
    let text = "{\"name\": \"e\", \"members\": [\(list.joined(separator: ", "))]\(rest)}"
    let files = try files.get()
    return try EnsembleAssembly.model(
      EnsembleSpecification(json: Array(text.utf8), source: "s"), source: "s"
    ) { path throws(ArtifactError) in
      guard let found = files[path] else {
        throw ArtifactError(file: path, section: "file", offsetBytes: 0, expected: "a file")
      }
      return found
    }
  }

  static func scores(_ model: EnsembleModel, _ row: [Float]) -> [Double] { ModelPredictor(model).prediction([row]).raw }

  @Test func `members read their own features, in whatever order the ensemble has them`() throws {
    let members = ["x ab", "y ca"]
    // a, b, c of signs +, −, +: 1 − 2 and 4 + 8.
    let model = try Self.model(members)
    #expect(model.features == ["a", "b", "c"], "in order of appearance")
    #expect(Self.scores(model, [1, -1, 1]) == [-1, 12])
    let named = try Self.model(members, ", \"features\": [\"c\", \"z\", \"b\", \"a\"]")
    #expect(named.features == ["c", "z", "b", "a"])
    #expect(Self.scores(named, [1, 9, -1, 1]) == [-1, 12])
    #expect(Self.scores(named, [-1, 9, -1, 1]) == [-1, 4])
    let equal = CombinerValues(
      averageWeights: [0.5, 0.5], stack: .logistic(weights: [0.5, 0.5], bias: 0), stackShare: 0.6, averageShare: 0.4)
    #expect(model.combiner == equal, "equal weights, and the shares of the reference ensemble")
    #expect(
      model.metadata.filter { $0.key.hasPrefix("member.1.") && !$0.key.hasSuffix("artifact.sha256") } == [
        "member.1.kind": "lightgbm", "member.1.source.sha256": "5a",
      ])
    let digest = try Self.files.get()["ca"]?.sha256
    #expect(model.metadata["member.1.artifact.sha256"] == digest && model.metadata["name"] == "e")
  }

  @Test func `what a member requires is looked up in the ensemble, and keeps the member out`() throws {
    let model = try Self.model(
      ["x ab", #"y ca, "required": ["c", "b", "c"]"#], #", "features": ["b", "a", "c"]"#)
    #expect(model.members.map(\.required) == [[], [0, 2]])
    let rows: [[Float]] = [[1, 1, 1], [.nan, 1, 1], [1, .nan, 1], [1, 1, .nan]]
    let present = rows.map { ModelPredictor(model).prediction([$0]).members }
    #expect(present == [0b11, 0b01, 0b11, 0b01])
  }

  @Test func `a network keeps its 8-bit form only, in the mode that was asked for`() throws {
    let modes: [(String, NetworkState.Mode)] = [
      ("", .windowed), (#", "sequence": "windowed""#, .windowed), (#", "sequence": "stateful""#, .stateful),
    ]
    for (words, mode) in modes {
      let network = try #require(try Self.model(["x ab", "n net\(words)"]).members[1].network)
      #expect(network.float == nil && network.quantised != nil && network.mode == mode && network.inputs == [2])
    }
  }

  @Test func `a meta-learner's columns are found by name where they have the members' names`() throws {
    let members = ["x ab", "y ca"]
    func stack(_ file: String) throws -> (Double, Double) {
      let model = try Self.model(members, ", \"meta\": {\"model\": \"\(file)\"}")
      guard case .forest(let forest)? = model.combiner?.stack else { return (0, 0) }
      return (forest.rawReference([1, -1])[0], forest.rawReference([-1, 1])[0])
    }
    // Columns y, x: x decides about 16. Without names the first column is the first member.
    #expect(try stack("meta") == (15, -15))
    #expect(try stack("unnamed") == (-15, 15))
    let weighted = try Self.model(members, ", \"meta\": {\"weights\": [2, 3], \"bias\": 0.5, \"inputs\": \"logit\"}")
    #expect(weighted.combiner?.stack == .logistic(weights: [2, 3], bias: 0.5))
  }

  static let refusals: [(members: [String], rest: String, line: String)] = [
    (["x none"], "", "member x: expected a whole artifact: none: file, byte 0: expected a file"),
    (["x joined"], "", "member x: expected a single model"),
    (
      ["x regression"], "",
      "member x: expected a binary classifier: one output with a logistic link (import --link logistic for a logit)"
    ),
    ([#"x ab, "sequence": "windowed""#], "", "member x.sequence: expected null for a model that does not look back"),
    ([#"x net, "sequence": "both""#], "", "member x.sequence: expected windowed or stateful, not both"),
    ([#"x ab, "required": ["q"]"#], "", "member x.required: expected a feature of the ensemble; q is none"),
    (["x ab"], #", "features": ["a", "c"]"#, "member x: expected a feature of the ensemble; b is none"),
    (["x ab"], #", "features": ["a", "b", "a"]"#, "features: expected names that differ"),
    (["x ab", "x ca"], "", "members: expected members of different names"),
    (["x ab"], #", "meta": {"model": "meta"}"#, "meta.model: expected trees over 1 logits"),
    (["x ab", "y ca"], #", "meta": {"model": "net"}"#, "meta.model: expected trees over 2 logits"),
    (["x ab"], #", "meta": {"bias": 1}"#, "meta: expected a model, or weights and a bias"),
    (["x ab"], #", "meta": {"model": "meta", "bias": 1}"#, "meta: expected a model, or weights and a bias"),
    (["x ab"], #", "meta": {"model": "meta", "weights": [1]}"#, "meta: expected weights or a model, not both"),
    (
      ["x ab"], #", "meta": {"weights": [1], "inputs": "p"}"#,
      "meta.inputs: expected logit: what a meta-learner reads"
    ),
    (
      ["x ab"], #", "calibration": {"kind": "platt", "slope": -1, "intercept": 0}"#,
      "calibration: expected a slope from 0 to 1e6 and an intercept within 1e6"
    ),
  ]

  @Test(arguments: refusals)
  func `what does not fit is refused by its place`(members: [String], rest: String, line: String) {
    let error = #expect(throws: ImportError.self) { try Self.model(members, rest) }
    #expect(error?.description == "s: \(line)")
  }
}

extension EnsembleModel.Member {
  /// Its network, or nil where it is trees.
  var network: NetworkMember? {
    if case .network(let network) = kind { return network }
    return nil
  }
}
