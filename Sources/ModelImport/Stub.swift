internal import ModelInference
extension LittleEndianBytes { mutating func append(_ n: QuantisedNetwork) {}; mutating func append(_ n: NeuralNetwork) {} }
