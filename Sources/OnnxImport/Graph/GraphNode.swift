internal import Foundation
internal import ModelImport

/// A node of the graph with its attributes at hand, and the words to refuse it with.
struct GraphNode {
  let node: OnnxNode
  let file: String
  private let attributes: [String: OnnxAttribute]

  init(_ node: OnnxNode, number: Int, file: String) {
    self.node = node
    self.file = file
    var attributes: [String: OnnxAttribute] = [:]
    for attribute in node.attribute { attributes[attribute.name] = attribute }
    self.attributes = attributes
    let name = node.name.isEmpty ? node.output.first ?? "" : node.name
    place = "node '\(name.isEmpty ? String(number) : name)' (\(node.opType))"
  }

  /// The node's name and operator.
  let place: String
  var type: String { node.opType }
  var inputs: [String] { node.input }
  var outputs: [String] { node.output }

  func refused(_ expected: String) -> ImportError { ImportError(file: file, place: place, expected: expected) }

  /// The name of an input, or nil where it is left out.
  func input(_ place: Int) -> String? {
    guard inputs.indices.contains(place), !inputs[place].isEmpty else { return nil }
    return inputs[place]
  }

  func has(_ name: String) -> Bool { attributes[name] != nil }

  func integer(_ name: String, _ standard: Int) -> Int { attributes[name].map { Int(clamping: $0.i) } ?? standard }
  func number(_ name: String, _ standard: Float) -> Float { attributes[name]?.f ?? standard }
  func integers(_ name: String) -> [Int]? { attributes[name].map { $0.ints.map { Int(clamping: $0) } } }
  func numbers(_ name: String) -> [Float]? { attributes[name]?.floats }
  func text(_ name: String, _ standard: String) -> String {
    attributes[name].map { String(decoding: $0.s, as: UTF8.self) } ?? standard
  }
  func texts(_ name: String) -> [String]? {
    attributes[name].map { $0.strings.map { String(decoding: $0, as: UTF8.self) } }
  }
  func tensor(_ name: String) -> OnnxTensor? { attributes[name]?.t.first }

  /// Refuses an attribute that has another value than the one supported.
  func require(_ name: String, _ wanted: Int) throws(ImportError) {
    let value = integer(name, wanted)
    guard value == wanted else { throw refused("attribute \(name) = \(wanted), not \(value)") }
  }
}
