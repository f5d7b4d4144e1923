import ModelImport
import ModelInference
import Testing

@testable import OnnxImport

// Goal: what is not read is refused in one line that names the file, the node and what is supported. Method: sound files of the
// fixtures, one thing changed each.
@Suite struct OnnxRefusalTests {
  private func refusal(_ name: String, _ change: (inout OnnxModel) throws -> Void) throws -> String {
    var model = try OnnxFile.decode(OnnxFixture.bytes(name), name: "m.onnx")
    try change(&model)
    let changed = model
    let error = #expect(throws: ImportError.self) { try OnnxImporter().read(changed, name: "m.onnx") }
    let line = try #require(error?.description)
    #expect(!line.contains("\n"))
    #expect(line.hasPrefix("m.onnx: "))
    return line
  }

  private func index(_ model: OnnxModel, _ type: String) throws -> Int {
    try #require(model.graph.node.firstIndex { $0.opType == type })
  }

  private func integer(_ name: String, _ value: Int64) -> OnnxAttribute {
    var attribute = OnnxAttribute()
    attribute.name = name
    attribute.i = value
    return attribute
  }

  private func text(_ name: String, _ value: String) -> OnnxAttribute {
    var attribute = OnnxAttribute()
    attribute.name = name
    attribute.s.append(contentsOf: value.utf8)
    return attribute
  }

  @Test func `a form of gelu that nobody knows is refused, by tanh it is another function`() throws {
    let line = try refusal("mlp_dynamo") { model in
      model.graph.node[try index(model, "Gelu")].attribute = [text("approximate", "sigmoid")]
    }
    #expect(line.contains("expected attribute approximate = none or tanh, not sigmoid"), "\(line)")
    var model = try OnnxFile.decode(OnnxFixture.bytes("mlp_dynamo"), name: "m.onnx")
    model.graph.node[try index(model, "Gelu")].attribute = [text("approximate", "tanh")]
    let changed = model
    let network = try #require(try OnnxImporter().read(changed, name: "m.onnx").network)
    let exact = try OnnxFixture("mlp_dynamo")
    let before = try #require(exact.model.network)
    let most = exact.windows.map { window in
      zip(network.predictReference(window), before.predictReference(window)).map { abs($0 - $1) }.max() ?? 0
    }.max()
    #expect((1e-6...1e-2).contains(most ?? 0), "\(most ?? 0)")
  }

  @Test func `an unknown operator is named with its node and with what is supported`() throws {
    let line = try refusal("mlp_logistic") { model in model.graph.node[try index(model, "Tanh")].opType = "Mish" }
    #expect(line.contains("(Mish)"))
    #expect(line.contains("Gemm, MatMul"))
  }

  @Test func `an operator of another domain is refused`() throws {
    let line = try refusal("mlp_logistic") { model in
      model.graph.node[try index(model, "Tanh")].domain = "com.microsoft"
    }
    #expect(line.contains("ONNX itself"))
  }

  @Test(arguments: [8, 23])
  func `operator sets before 9 and after 22 are refused`(version: Int64) throws {
    let line = try refusal("mlp_logistic") { $0.opsetImport[0].version = version }
    #expect(line.contains("9 to 22, not \(version)"))
  }

  @Test func `a transposed input of Gemm is refused`() throws {
    let line = try refusal("mlp_logistic") { model in
      model.graph.node[try index(model, "Gemm")].attribute.append(integer("transA", 1))
    }
    #expect(line.contains("transA = 0, not 1"))
  }

  @Test(arguments: ["reverse", "bidirectional"])
  func `a recurrent layer that runs backward is refused`(direction: String) throws {
    let line = try refusal("lstm") { model in
      model.graph.node[try index(model, "LSTM")].attribute.append(text("direction", direction))
    }
    #expect(line.contains("direction = forward, not \(direction)"))
  }

  @Test func `peepholes, clipping and other activations of an LSTM are refused`() throws {
    let peepholes = try refusal("lstm") { model in
      let place = try index(model, "LSTM")
      while model.graph.node[place].input.count < 7 { model.graph.node[place].input.append("") }
      model.graph.node[place].input.append(model.graph.node[place].input[1])
    }
    #expect(peepholes.contains("peepholes"))
    let clip = try refusal("lstm") { model in
      model.graph.node[try index(model, "LSTM")].attribute.append(integer("clip", 1))
    }
    #expect(clip.contains("clip"))
    let activations = try refusal("lstm") { model in
      var attribute = OnnxAttribute()
      attribute.name = "activations"
      for name in ["Sigmoid", "Relu", "Tanh"] { attribute.strings.append(contentsOf: [text("", name).s]) }
      model.graph.node[try index(model, "LSTM")].attribute.append(attribute)
    }
    #expect(activations.contains("activations Sigmoid, Tanh, Tanh"))
  }

  @Test func `an initial state that is not zero is refused`() throws {
    let line = try refusal("lstm") { model in
      let place = try index(model, "LSTM")
      // The recurrent bias has the wrong shape for a state, but it is its numbers that are looked at.
      model.graph.node[place].input[5] = model.graph.node[place].input[3]
    }
    #expect(line.contains("initial state of zeros"))
  }

  @Test func `a convolution that sees later rows is refused`() throws {
    let line = try refusal("tcn_chop") { model in
      let place = try index(model, "Conv")
      let pads = try #require(model.graph.node[place].attribute.firstIndex { $0.name == "pads" })
      model.graph.node[place].attribute[pads].ints = [1, 1]
    }
    #expect(line.contains("causal padding: 2 rows of zeros on the left, not 1"))
  }

  @Test func `strides and automatic padding are refused`() throws {
    let strides = try refusal("tcn_chop") { model in
      let place = try index(model, "Conv")
      let at = try #require(model.graph.node[place].attribute.firstIndex { $0.name == "strides" })
      model.graph.node[place].attribute[at].ints = [2]
    }
    #expect(strides.contains("strides = [1]"))
    let padding = try refusal("tcn_chop") { model in
      model.graph.node[try index(model, "Conv")].attribute.append(text("auto_pad", "SAME_LOWER"))
    }
    #expect(padding.contains("auto_pad = NOTSET, not SAME_LOWER"))
  }

  @Test func `attention without a causal mask is refused`() throws {
    let line = try refusal("attention_dynamo") { model in
      // The scores pass by their mask.
      let place = try index(model, "Where")
      let scores = model.graph.node[place].input[2]
      model.graph.node[try index(model, "Softmax")].input = [scores]
    }
    #expect(line.contains("causal mask"))
  }

  @Test func `a mask that lets a row see later ones is refused`() throws {
    let line = try refusal("transformer_dynamo") { model in
      for place in model.graph.initializer.indices where model.graph.initializer[place].dims == [12, 12] {
        let count = model.graph.initializer[place].rawData.count
        model.graph.initializer[place].rawData = .init(repeating: 0, count: count - 4)
        // The last entry alone is far below 0, and it is on the diagonal.
        model.graph.initializer[place].rawData.append(contentsOf: [0x00, 0x50, 0xC3, 0xC7])
      }
    }
    #expect(line.contains("causal mask: 0 on and below the diagonal"))
  }

  @Test func `numbers in another file are refused`() throws {
    let line = try refusal("mlp_logistic") { $0.graph.initializer[0].dataLocation = 1 }
    #expect(line.contains("without external data"))
  }

  @Test func `a tensor with fewer numbers than its shape says is refused`() throws {
    let line = try refusal("mlp_logistic") { $0.graph.initializer[0].dims = [3, 1 << 20] }
    #expect(line.contains("tensor '"))
    let huge = try refusal("mlp_logistic") { $0.graph.initializer[0].dims = [.max, .max] }
    #expect(huge.contains("at most \(Constant.countMax) numbers"))
  }

  @Test func `a score for every row is refused with what to do`() throws {
    let line = try refusal("attention_dynamo") { model in
      // The head reads all rows instead of the newest.
      let place = try index(model, "Gather")
      let all = model.graph.node[place].input[0]
      model.graph.node[try index(model, "Gemm")].input[0] = all
      model.graph.node.removeAll { $0.opType == "Softmax" && $0.output == ["score"] }
      model.graph.output[0].name = try #require(model.graph.node.last?.output[0])
    }
    #expect(line.contains("select the newest"))
  }

  @Test func `a tree mode that asks for equality is refused with tree and node`() throws {
    let line = try refusal("sk_forest") { model in
      let place = try index(model, "TreeEnsembleClassifier")
      let modes = try #require(model.graph.node[place].attribute.firstIndex { $0.name == "nodes_modes" })
      model.graph.node[place].attribute[modes].strings[0] = text("", "BRANCH_EQ").s
    }
    #expect(line.contains("tree 0 node 0"))
    #expect(line.contains("BRANCH_EQ"))
  }

  @Test func `a tree with a loop is refused`() throws {
    let line = try refusal("sk_forest") { model in
      let place = try index(model, "TreeEnsembleClassifier")
      let children = try #require(model.graph.node[place].attribute.firstIndex { $0.name == "nodes_truenodeids" })
      model.graph.node[place].attribute[children].ints[1] = 0
    }
    #expect(line.contains("two parents"))
  }

  @Test func `an output that is not there, or one of several, has to be named`() throws {
    let model = try OnnxFile.decode(OnnxFixture.bytes("mlp_logistic"), name: "m.onnx")
    let error = #expect(throws: ImportError.self) {
      try OnnxImporter(.init(outputName: "other")).read(model, name: "m.onnx")
    }
    #expect(error?.expected == "one of score")
    let line = try refusal("mlp_logistic") { model in
      var second = model.graph.output[0]
      second.name = model.graph.node[0].output[0]
      model.graph.output.append(second)
    }
    #expect(line.contains("the name of the one to follow"))
  }

  @Test func `an open time axis needs the window from the caller`() throws {
    var model = try OnnxFile.decode(OnnxFixture.bytes("lstm"), name: "m.onnx")
    model.graph.input[0].type.tensorType.shape.dim[0].dimValue = 0
    model.graph.input[0].type.tensorType.shape.dim[1].dimValue = 0
    let open = model
    let error = #expect(throws: ImportError.self) { try OnnxImporter().read(open, name: "m.onnx") }
    #expect(error?.expected.contains("or the window given") == true)
    let given = try OnnxImporter(.init(window: 12)).read(open, name: "m.onnx")
    #expect(given.network == (try OnnxFixture("lstm").model.network))
  }

  @Test func `feature names come from the file's metadata`() throws {
    var model = try OnnxFile.decode(OnnxFixture.bytes("mlp_logistic"), name: "m.onnx")
    var entry = OnnxTextEntry()
    entry.key = "feature_names"
    entry.value = #"["a", "b", "c", "d", "e", "f"]"#
    model.metadataProps = [entry]
    let named = model
    let read = try OnnxImporter().read(named, name: "m.onnx")
    #expect(read.featureNames == ["a", "b", "c", "d", "e", "f"])
    #expect(try OnnxFixture("mlp_logistic").model.featureNames == ["f0", "f1", "f2", "f3", "f4", "f5"])
    model.metadataProps[0].value = "a,b,a,d,e,f"
    let twice = model
    let error = #expect(throws: ImportError.self) { try OnnxImporter().read(twice, name: "m.onnx") }
    #expect(error?.place == "feature names")
  }

  @Test(arguments: [(1, true), (0, false)])
  func `of two classes only the second one's chance can be taken alone`(index: Int64, isRead: Bool) throws {
    var model = try OnnxFile.decode(OnnxFixture.bytes("attention_dynamo"), name: "m.onnx")
    var place = OnnxNode()
    place.opType = "Constant"
    place.output = ["place"]
    var value = integer("value_int", index)
    value.type = 2
    place.attribute = [value]
    var gather = OnnxNode()
    gather.opType = "Gather"
    gather.input = ["score", "place"]
    gather.output = ["chance"]
    gather.attribute = [integer("axis", 1)]
    model.graph.node += [place, gather]
    model.graph.output[0].name = "chance"
    let changed = model
    if isRead {
      #expect(try OnnxImporter().read(changed, name: "m").network == OnnxFixture("attention_dynamo").model.network)
    } else {
      #expect(throws: ImportError.self) { try OnnxImporter().read(changed, name: "m") }
    }
  }

  @Test func `what a result means is told by link and notes`() throws {
    let logistic = try OnnxFixture("mlp_logistic").model
    #expect(logistic.network?.link == .logistic(scale: 1))
    #expect(logistic.notes.contains { $0.contains("the logit before it") })
    let softmax = try OnnxFixture("attention").model
    #expect(softmax.network?.link == .logistic(scale: 1))
    #expect(softmax.network?.outputCount == 1)
    #expect(try OnnxFixture("sk_logistic_three").model.network?.link == .softmax)
    #expect(softmax.kind == .onnx && softmax.sourceSHA256.count == 64)
    #expect(softmax.sourceVersion?.hasPrefix("pytorch") == true)
  }
}
