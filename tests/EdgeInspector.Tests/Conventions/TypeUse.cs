using System.Reflection;
using System.Reflection.Emit;

namespace EdgeInspector.Tests.Conventions;

/// <summary>
/// Which types a type uses, read from its compiled form: signatures, attributes, locals and every instruction. Source text
/// would not do, since a name from a neighbouring namespace needs no using directive.
/// </summary>
internal static class TypeUse
{
    private const BindingFlags Declared =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Instance
        | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    /// <summary>All types that one uses, generic arguments and element types taken apart.</summary>
    public static IReadOnlySet<Type> Of(Type type)
    {
        var used = new HashSet<Type>();
        Add(used, type.BaseType);
        foreach (var face in type.GetInterfaces())
        {
            Add(used, face);
        }

        Add(used, type.CustomAttributes);
        foreach (var member in type.GetMembers(Declared))
        {
            Add(used, member.CustomAttributes);
            switch (member)
            {
                case FieldInfo field:
                    Add(used, field.FieldType);
                    break;
                case PropertyInfo property:
                    Add(used, property.PropertyType);
                    break;
                case MethodBase method:
                    AddMethod(used, method);
                    break;
            }
        }

        return used;
    }

    private static void AddMethod(HashSet<Type> used, MethodBase method)
    {
        Add(used, (method as MethodInfo)?.ReturnType);
        foreach (var parameter in method.GetParameters())
        {
            Add(used, parameter.ParameterType);
        }

        if (method.GetMethodBody() is not { } body)
        {
            return;
        }

        foreach (var local in body.LocalVariables)
        {
            Add(used, local.LocalType);
        }

        foreach (
            var clause in body.ExceptionHandlingClauses.Where(c => c.Flags == ExceptionHandlingClauseOptions.Clause)
        )
        {
            Add(used, clause.CatchType);
        }

        AddInstructions(used, method, body.GetILAsByteArray() ?? []);
    }

    private static void AddInstructions(HashSet<Type> used, MethodBase method, byte[] code)
    {
        var typeArguments = method.DeclaringType?.GetGenericArguments();
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length; )
        {
            // 0xFE starts an instruction of two bytes (ECMA-335, III.1.2.1).
            var opCode =
                code[at] == 0xFE ? OpCodesByValue[(short)((code[at++] << 8) | code[at++])] : OpCodesByValue[code[at++]];
            switch (opCode.OperandType)
            {
                case OperandType.InlineMethod
                or OperandType.InlineField
                or OperandType.InlineType
                or OperandType.InlineTok:
                    var token = BitConverter.ToInt32(code, at);
                    switch (method.Module.ResolveMember(token, typeArguments, methodArguments))
                    {
                        case Type type:
                            Add(used, type);
                            break;
                        case { } member:
                            Add(used, member.DeclaringType);
                            foreach (var argument in (member as MethodInfo)?.GetGenericArguments() ?? [])
                            {
                                Add(used, argument);
                            }

                            break;
                    }

                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + (4 * BitConverter.ToInt32(code, at));
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at += 1;
                    break;
                case OperandType.InlineNone:
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }

    private static void Add(HashSet<Type> used, IEnumerable<CustomAttributeData> attributes)
    {
        foreach (var attribute in attributes)
        {
            Add(used, attribute.AttributeType);
            foreach (var argument in attribute.ConstructorArguments)
            {
                Add(used, argument.Value as Type);
            }
        }
    }

    private static void Add(HashSet<Type> used, Type? type)
    {
        while (type is { HasElementType: true })
        {
            type = type.GetElementType();
        }

        if (type is null || type.IsGenericParameter)
        {
            return;
        }

        foreach (var argument in type.GetGenericArguments())
        {
            Add(used, argument);
        }

        used.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type);
    }
}
