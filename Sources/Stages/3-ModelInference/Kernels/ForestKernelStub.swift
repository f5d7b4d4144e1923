internal import LockFreeRings
public struct NetworkState: ~Copyable {
  init(for n: QuantisedNetwork, mode: NetworkMember.SequenceMode, in a: Arena) {}
  static func arenaBytes(for n: QuantisedNetwork, mode: NetworkMember.SequenceMode) -> Int { 128 }
  var isReady: Bool { false }
  mutating func reset() {}
}
public struct NetworkKernel: ~Copyable {
  let n: QuantisedNetwork
  init(_ n: QuantisedNetwork, set: KernelSet, in a: Arena) { self.n = n }
  static func arenaBytes(for n: QuantisedNetwork) -> Int { 128 }
  func predict(_ r: borrowing KernelRow) -> Float { 0 }
  func predict(_ r: borrowing KernelRow, _ s: inout NetworkState) -> Float { 0 }
  func close(_ r: borrowing KernelRow, _ s: inout NetworkState) {}
  func advance(_ s: inout NetworkState) -> Bool { false }
  func predictWindow(_ rows: [[Float]]) -> [Float] { n.predictReference(rows) }
}
extension SectionReader {
  mutating func quantisedNetwork() throws(ArtifactError) -> QuantisedNetwork { throw refused("x") }
  mutating func neuralNetwork() throws(ArtifactError) -> NeuralNetwork { throw refused("x") }
}
